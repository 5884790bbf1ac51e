#include "base/ids.hpp"

#include "base/crypto.hpp"

namespace agentdb9::base {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_dash_position(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

UuidText make_uuid() {
    std::array<unsigned char, 16> bytes{};
    random_bytes(bytes);
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // version 4
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // RFC 9562 variant
    UuidText text{};
    std::size_t byte = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (is_dash_position(i)) {
            text[i++] = '-';
            continue;
        }
        text[i++] = kHex[bytes[byte] >> 4];
        text[i++] = kHex[bytes[byte] & 0x0f];
        ++byte;
    }
    return text;
}

std::optional<UuidText> parse_uuid(std::string_view text) {
    if (text.size() != kUuidLength) return std::nullopt;
    UuidText result{};
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (is_dash_position(i)) {
            if (c != '-') return std::nullopt;
        } else if (c >= 'A' && c <= 'F') {
            c = static_cast<char>(c - 'A' + 'a');
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return std::nullopt;
        }
        result[i] = c;
    }
    return result;
}

}  // namespace agentdb9::base
