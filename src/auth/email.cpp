#include "auth/email.hpp"

#include <algorithm>

namespace agentdb9::auth {
namespace {

constexpr std::size_t kMaxBytes = 254;
constexpr std::size_t kMaxLocalBytes = 64;
constexpr std::size_t kMaxLabelBytes = 63;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_local_character(char c) {
    return static_cast<unsigned char>(c) >= 0x80 || is_letter_or_digit(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c);
}

// `valid` holds for each part of `text` between dots.
template <class F>
bool all_parts(std::string_view text, F valid) {
    while (true) {
        const auto dot = text.find('.');
        if (!valid(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

}  // namespace

std::optional<std::string> normalize_email(std::string_view text) {
    if (text.size() > kMaxBytes) return std::nullopt;
    std::string email(text);
    for (char& c : email) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto at = email.find('@');
    if (at == std::string::npos) return std::nullopt;
    const auto local = std::string_view(email).substr(0, at);
    const auto host = std::string_view(email).substr(at + 1);
    const bool local_fits = local.size() <= kMaxLocalBytes && all_parts(local, [](std::string_view atom) {
                                return !atom.empty() && std::ranges::all_of(atom, is_local_character);
                            });
    if (!local_fits || !all_parts(host, is_label)) return std::nullopt;
    return email;
}

}  // namespace agentdb9::auth
