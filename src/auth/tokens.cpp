#include "auth/tokens.hpp"

#include "base/crypto.hpp"

namespace agentdb9::auth {
namespace {

constexpr std::string_view kApiTokenPrefix = "adb9_";
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kRandomLength = 43;  // of 32 bytes in base64url
constexpr std::size_t kHintLength = 10;
constexpr std::size_t kSignedLength = base::kUuidLength + 1 + kRandomLength;
constexpr std::size_t kRefreshTokenLength = kSignedLength + 1 + kRandomLength;

bool is_random_part(std::string_view text) {
    return text.size() == kRandomLength && base::base64url_decode(text).has_value();
}

}  // namespace

std::string token_hash(std::string_view token) {
    return base::sha256_hex(token);
}

std::string scoped_token_hash(std::string_view token) {
    return base::sha256_hex("scoped " + std::string(token));
}

std::string make_api_token() {
    return std::string(kApiTokenPrefix) + base::random_token(kRandomBytes);
}

bool is_api_token(std::string_view text) {
    return text.starts_with(kApiTokenPrefix) && is_random_part(text.substr(kApiTokenPrefix.size()));
}

std::string api_token_hint(std::string_view token) {
    return std::string(token.substr(0, kHintLength));
}

std::string make_refresh_token(const base::SessionId& session, std::string_view key) {
    std::string token = session.str() + "." + base::random_token(kRandomBytes);
    return token + "." + base::base64url_encode(base::hmac_sha256(key, token));
}

bool is_like_refresh_token(std::string_view text) {
    return text.size() == kRefreshTokenLength && text[base::kUuidLength] == '.' &&
           text[kSignedLength] == '.' && base::parse_uuid(text.substr(0, base::kUuidLength));
}

std::optional<base::SessionId> session_of_refresh_token(std::string_view text, std::string_view key) {
    if (!is_like_refresh_token(text)) return std::nullopt;
    const auto signed_part = text.substr(0, kSignedLength);
    const auto mac = base::base64url_encode(base::hmac_sha256(key, signed_part));
    if (!base::equal_constant_time(text.substr(kSignedLength + 1), mac)) return std::nullopt;
    return base::SessionId::parse(text.substr(0, base::kUuidLength));
}

std::string make_ticket() {
    return base::random_token(kRandomBytes);
}

bool is_ticket(std::string_view text) {
    return is_random_part(text);
}

}  // namespace agentdb9::auth
