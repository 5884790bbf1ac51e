#include "cli/client/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/terminal.hpp"

namespace agentdb9::cli::client {
namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/' || c == ':' || c == '@';
}

std::string clean(std::string_view text, std::string_view line_break) {
    std::string clean;
    clean.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        // U+0080 to U+009F, the other control characters, are C2 80 to C2 9F in UTF-8.
        const bool high =
            c == 0xc2 && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xe0) == 0x80;
        if (c == '\n') {
            clean += line_break;
        } else if (c == '\t' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')) {
            clean += ' ';
        } else if (c < 0x20 || c == 0x7f || high) {
            clean += '?';
            if (high) ++i;
        } else {
            clean += text[i];
        }
    }
    return clean;
}

}  // namespace

std::string printable(std::string_view text) {
    return clean(text, " ");
}

std::string printable_lines(std::string_view text) {
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    return clean(text, "\n");
}

std::string text_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string shown(const json::object& object, std::string_view key) {
    auto text = printable(text_in(object, key));
    return text.empty() ? "-" : text;
}

std::string shown_time(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr ? printable(short_time(*value)) : "-";
}

std::string bytes_text(double bytes) {
    constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit)
        bytes /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes,
                  kUnits[unit]);
    return text.data();
}

std::string shell_word(std::string_view text) {
    if (!text.empty() && text.front() != '-' && std::ranges::all_of(text, is_plain)) return std::string(text);
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted + "'";
}

}  // namespace agentdb9::cli::client
