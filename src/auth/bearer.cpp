#include "auth/bearer.hpp"

#include <algorithm>

namespace agentdb9::auth {
namespace {

constexpr std::string_view kScheme = "bearer";

bool is_token_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '+' || c == '/' || c == '=';
}

}  // namespace

std::optional<std::string_view> bearer_token(std::string_view header) {
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
    if (token.empty() || !std::ranges::all_of(token, is_token_character)) return std::nullopt;
    return token;
}

}  // namespace agentdb9::auth
