#include "auth/application_cookie.hpp"

#include <charconv>

#include "base/crypto.hpp"

namespace agentdb9::auth {
namespace {

constexpr std::size_t kMacLength = 43;  // of 32 bytes in base64url
constexpr std::size_t kMaxBytes = 512;

// Takes the text before the next '.', or all that is left.
std::string_view next_part(std::string_view& rest) {
    const auto dot = rest.find('.');
    const auto part = rest.substr(0, dot);
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    return part;
}

template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

}  // namespace

// "1.{user}.{s|t}.{session or token}.{workspace}.{port}.{expiry in seconds}.{MAC}"
std::string seal_application_cookie(const ApplicationCookie& cookie, std::string_view key) {
    std::string text = "1." + cookie.user.str();
    text += cookie.session ? ".s." + cookie.session->str() : ".t." + cookie.api_token.value().str();
    text += "." + cookie.scope.workspace.str();
    text += "." + std::to_string(cookie.scope.port);
    text += "." + std::to_string(base::to_unix_seconds(cookie.expires_at));
    return text + "." + base::base64url_encode(base::hmac_sha256(key, text));
}

std::expected<ApplicationCookie, Failure> open_application_cookie(std::string_view text, std::string_view key,
                                                                  base::Time now) {
    const auto malformed = std::unexpected(Failure::kMalformed);
    if (text.size() > kMaxBytes || text.size() <= kMacLength + 1) return malformed;
    const std::size_t signed_length = text.size() - kMacLength - 1;
    auto rest = text.substr(0, signed_length);
    if (text[signed_length] != '.') return malformed;
    const auto mac = base::base64url_encode(base::hmac_sha256(key, rest));
    if (!base::equal_constant_time(text.substr(signed_length + 1), mac)) return malformed;

    const auto version = next_part(rest);
    const auto user = base::UserId::parse(next_part(rest));
    const auto kind = next_part(rest);
    const auto permission = next_part(rest);
    const auto workspace = base::WorkspaceId::parse(next_part(rest));
    const auto port = number<int>(next_part(rest));
    const auto expires = number<std::int64_t>(next_part(rest));
    if (version != "1" || !user || !workspace || !port || !expires || !rest.empty()) return malformed;
    ApplicationCookie cookie{.user = *user,
                             .session = std::nullopt,
                             .api_token = std::nullopt,
                             .scope = {*workspace, *port},
                             .expires_at = base::Time(std::chrono::seconds(*expires))};
    if (kind == "s") cookie.session = base::SessionId::parse(permission);
    if (kind == "t") cookie.api_token = base::ApiTokenId::parse(permission);
    if (!cookie.session && !cookie.api_token) return malformed;
    if (cookie.expires_at <= now) return std::unexpected(Failure::kExpired);
    return cookie;
}

}  // namespace agentdb9::auth
