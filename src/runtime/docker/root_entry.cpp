#include "runtime/docker/root_entry.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace agentdb9::runtime::docker {

namespace {

// POSIX.1-2017, pax, "ustar Interchange Format".
constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameSize = 100;
constexpr std::size_t kSizeAt = 124, kSizeSize = 12;
constexpr std::size_t kChecksumAt = 148, kChecksumSize = 8;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kPrefixAt = 345;
// Extended headers may come before the entry itself.
constexpr std::size_t kLongestStart = std::size_t{16} << 10;

std::optional<std::size_t> octal(std::string_view field) {
    field.remove_prefix(std::min(field.find_first_not_of(" "), field.size()));
    std::size_t value = 0;
    const auto [end, ec] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
    if (ec != std::errc()) return std::nullopt;
    return value;
}

void set_checksum(std::span<char> header) {
    std::ranges::fill(header.subspan(kChecksumAt, kChecksumSize), ' ');
    unsigned sum = 0;
    for (const char c : header)
        sum += static_cast<unsigned char>(c);
    // Six digits, a zero byte, a space.
    for (std::size_t digit = 6; digit-- > 0; sum /= 8)
        header[kChecksumAt + digit] = static_cast<char>('0' + sum % 8);
    header[kChecksumAt + 6] = '\0';
}

}  // namespace

Task<std::size_t> RootEntry::read(std::span<char> room) {
    const auto got = co_await from_.read(room);
    start_.append(room.data(), std::min(got, kLongestStart - start_.size()));
    co_return got;
}

std::optional<std::string> RootEntry::named(const std::string& name) const {
    std::size_t at = 0;
    while (at + kBlock <= start_.size()) {
        const auto header = std::string_view(start_).substr(at, kBlock);
        const char type = header[kTypeAt];
        if (type == 'x' || type == 'g') {
            const auto size = octal(header.substr(kSizeAt, kSizeSize));
            if (!size || *size > kLongestStart) return std::nullopt;
            at += kBlock + (*size + kBlock - 1) / kBlock * kBlock;
            continue;
        }
        const auto field = header.substr(0, kNameSize);
        const auto named = field.substr(0, field.find('\0'));
        const bool prefixed = header[kPrefixAt] != '\0';
        if (type != '5' || prefixed || (named != "./" && named != ".")) return std::nullopt;
        auto archive = start_.substr(0, at + kBlock);
        const auto own = std::span(archive).subspan(at);
        std::ranges::fill(own.first(kNameSize), '\0');
        std::ranges::copy(std::string_view(name).substr(0, kNameSize - 1), own.begin());
        set_checksum(own);
        archive.append(2 * kBlock, '\0');
        return archive;
    }
    return std::nullopt;
}

}  // namespace agentdb9::runtime::docker
