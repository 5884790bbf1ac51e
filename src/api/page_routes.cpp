#include "api/page_routes.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "base/log.hpp"
#include "embedded_page.hpp"

namespace agentdb9::api {
namespace {

// Nothing inline and nothing from elsewhere: what a workspace, a project or an error is called can never
// become part of the program.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

std::string_view content_type_of(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    log::error("a file of the page has no content type", {{"file", name}});
    std::abort();
}

// FNV-1a: it tells one build's file from another's, no more is asked of it.
std::string entity_tag_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::array<char, 16> digits{};
    auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
    return "\"" + std::string(digits.data(), end) + "\"";
}

// RFC 9110 section 13.1.2: weak comparison, so that a proxy which compresses may weaken the tag.
bool names_tag(std::string_view if_none_match, std::string_view tag) {
    return if_none_match == "*" || http::list_has(if_none_match, tag) ||
           http::list_has(if_none_match, "W/" + std::string(tag));
}

http::Response page_file(const http::Request& request, const page::EmbeddedFile& file,
                         const std::string& tag) {
    http::Response response;
    response.headers.set("Content-Security-Policy", kContentSecurityPolicy);
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Referrer-Policy", "no-referrer");
    // An application that the page opens gets no hold of the page's window.
    response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
    // Kept, but asked for each time: after an upgrade nobody sees the old page.
    response.headers.set("Cache-Control", "no-cache");
    response.headers.set("ETag", tag);
    if (names_tag(request.headers.get("If-None-Match").value_or(""), tag)) {
        response.status = 304;
        return response;
    }
    response.headers.set("Content-Type", content_type_of(file.name));
    response.fixed_body = file.bytes;
    return response;
}

}  // namespace

void add_page_routes(Router& router) {
    for (const auto& file : page::embedded_files()) {
        const auto path = file.name == "index.html" ? std::string("/") : "/" + std::string(file.name);
        router.add("GET", path, Access::kPublic,
                   [file, tag = entity_tag_of(file.bytes)](Call& call) -> Task<http::Response> {
                       co_return page_file(call.request, file, tag);
                   });
    }
}

}  // namespace agentdb9::api
