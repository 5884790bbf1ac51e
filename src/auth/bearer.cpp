#include "auth/bearer.hpp"

#include <algorithm>

namespace agentdb9::auth {
namespace {

constexpr std::string_view kScheme = "bearer";
constexpr std::size_t kMacLength = 43;  // of 32 bytes in base64url

bool is_token_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '+' || c == '/' || c == '=';
}

bool is_signed_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

bool has_form_of_signed_text(std::string_view text) {
    return std::ranges::count(text, '.') == 2 && text.size() - text.rfind('.') - 1 == kMacLength;
}

}  // namespace

std::optional<std::string_view> bearer_text(std::string_view header) {
    if (header.size() <= kScheme.size() || header[kScheme.size()] != ' ') return std::nullopt;
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = header[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != kScheme[i]) return std::nullopt;
    }
    auto token = header.substr(kScheme.size());
    while (token.starts_with(' '))
        token.remove_prefix(1);
    while (token.ends_with(' '))
        token.remove_suffix(1);
    if (token.empty()) return std::nullopt;
    return token;
}

std::optional<std::string_view> bearer_token(std::string_view header) {
    const auto text = bearer_text(header);
    return text && std::ranges::all_of(*text, is_token_character) ? text : std::nullopt;
}

std::vector<std::string_view> signed_texts(std::string_view header) {
    std::vector<std::string_view> found;
    while (!header.empty()) {
        const auto end = std::ranges::find_if_not(header, is_signed_character);
        const auto text = header.substr(0, static_cast<std::size_t>(end - header.begin()));
        if (has_form_of_signed_text(text)) found.push_back(text);
        header.remove_prefix(std::min(header.size(), text.size() + 1));
    }
    return found;
}

}  // namespace agentdb9::auth
