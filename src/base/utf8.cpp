#include "base/utf8.hpp"

#include <algorithm>

namespace agentdb9::base {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// By its first byte; 0: none begins so.
std::size_t announced_length(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

}  // namespace

std::size_t utf8_character_length(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const auto first = at(0);
    const auto length = announced_length(first);
    if (length <= 1) return length;
    if (bytes.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((at(i) & 0xC0) != 0x80) return 0;
    const auto second = at(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
        return 0;
    }
    return length;
}

std::string as_valid_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto length = utf8_character_length(bytes);
        out += length == 0 ? kReplacement : bytes.substr(0, length);
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string as_storable_text(std::string_view bytes) {
    // Nearly all is plain.
    const auto plain = [](char c) { return c > 0; };
    if (std::ranges::all_of(bytes, plain)) return std::string(bytes);
    auto text = as_valid_utf8(bytes);
    for (auto zero = text.find('\0'); zero != text.npos; zero = text.find('\0', zero))
        text.replace(zero, 1, kReplacement);
    return text;
}

std::string_view last_characters(std::string_view bytes, std::size_t most) {
    if (bytes.size() <= most) return bytes;
    bytes.remove_prefix(bytes.size() - most);
    for (int i = 0; i < 3 && !bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0xC0) == 0x80; ++i)
        bytes.remove_prefix(1);
    return bytes;
}

std::size_t unfinished_utf8(std::string_view bytes) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
        if ((byte & 0xC0) == 0x80) continue;
        return announced_length(byte) > back ? back : 0;
    }
    return 0;
}

}  // namespace agentdb9::base
