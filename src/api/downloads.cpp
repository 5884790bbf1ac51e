#include "api/downloads.hpp"

namespace agentdb9::api {
namespace {

// RFC 8187: a plain form for those that know no other, and the name itself.
std::string disposition(std::string_view name) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string plain;
    std::string encoded;
    for (const char c : name) {
        const bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          c == '-' || c == '_' || c == '.';
        plain += safe ? c : '_';
        if (safe) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded.append({'%', kHex[byte >> 4U], kHex[byte & 0xFU]});
        }
    }
    return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + encoded;
}

}  // namespace

http::Response download(std::string_view type, std::string_view name, std::uint64_t length) {
    http::Response response;
    response.headers.set("Content-Type", type);
    response.headers.set("Content-Disposition", disposition(name));
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
    response.headers.set("Cache-Control", "no-store");
    response.length = length;
    return response;
}

http::Response download(std::string_view type, std::string_view name, services::BackupFiles& files,
                        std::shared_ptr<services::BackupFiles::File> file) {
    auto response = download(type, name, file->size());
    response.next_piece = [&files, file]() -> Task<std::optional<std::string>> {
        auto piece = co_await files.read(file);
        if (piece.empty()) co_return std::nullopt;
        co_return std::optional(std::move(piece));
    };
    return response;
}

void set_etag(http::Response& response, std::string_view digest) {
    response.headers.set("ETag", "\"" + std::string(digest) + "\"");
}

}  // namespace agentdb9::api
