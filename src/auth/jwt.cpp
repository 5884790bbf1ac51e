#include "auth/jwt.hpp"

#include <chrono>
#include <cstdlib>
#include <optional>

#include "base/crypto.hpp"
#include "base/log.hpp"

namespace agentdb9::auth {
namespace {

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::size_t kMaxTokenBytes = 8192;
constexpr std::int64_t kLeewaySeconds = 60;

void require_key(std::string_view key) {
    if (key.size() >= kMinKeyBytes) return;
    log::error("a signing key is shorter than 32 bytes");
    std::abort();
}

std::string signature(std::string_view signed_part, std::string_view key) {
    return base::base64url_encode(base::hmac_sha256(key, signed_part));
}

// RFC 7515 section 4.1: the header must say HS256, may say JWT, and must not ask for extensions.
bool is_our_header(std::string_view encoded) {
    const auto text = base::base64url_decode(encoded);
    if (!text) return false;
    const auto value = base::parse_json_or(*text, nullptr);
    const auto* header = value.if_object();
    if (!header) return false;
    const auto* algorithm = header->if_contains("alg");
    if (!algorithm || !algorithm->is_string() || algorithm->as_string() != "HS256") return false;
    const auto* type = header->if_contains("typ");
    if (type && (!type->is_string() || type->as_string() != "JWT")) return false;
    return !header->contains("crit");
}

// Absent when the claim is not there or not a whole number; `wrong` tells the two apart.
std::optional<std::int64_t> seconds_claim(const json::object& claims, std::string_view name, bool& wrong) {
    const auto* value = claims.if_contains(name);
    if (!value) return std::nullopt;
    if (!value->is_int64()) {
        wrong = true;
        return std::nullopt;
    }
    return value->as_int64();
}

}  // namespace

std::string sign_jwt(const json::object& claims, std::string_view key) {
    require_key(key);
    std::string token = base::base64url_encode(kHeader);
    token += '.';
    token += base::base64url_encode(base::to_text(claims));
    const auto mac = signature(token, key);
    token += '.';
    token += mac;
    return token;
}

std::expected<json::object, Failure> verify_jwt(std::string_view token, std::string_view key,
                                                base::Time now) {
    require_key(key);
    const auto malformed = std::unexpected(Failure::kMalformed);
    if (token.size() > kMaxTokenBytes) return malformed;
    const auto first = token.find('.');
    if (first == std::string_view::npos) return malformed;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
        return malformed;

    // The signature comes first: nothing that others wrote is parsed before it.
    if (!base::equal_constant_time(token.substr(second + 1), signature(token.substr(0, second), key))) {
        return malformed;
    }
    if (!is_our_header(token.substr(0, first))) return malformed;
    const auto payload = base::base64url_decode(token.substr(first + 1, second - first - 1));
    if (!payload) return malformed;
    auto value = base::parse_json_or(*payload, nullptr);
    if (!value.is_object()) return malformed;
    auto& claims = value.as_object();

    bool wrong = false;
    const auto expires = seconds_claim(claims, "exp", wrong);
    const auto not_before = seconds_claim(claims, "nbf", wrong);
    const auto issued = seconds_claim(claims, "iat", wrong);
    if (wrong || !expires) return malformed;
    const std::int64_t seconds = base::to_unix_seconds(now);
    if (not_before && *not_before > seconds + kLeewaySeconds) return malformed;
    if (issued && *issued > seconds + kLeewaySeconds) return malformed;
    if (*expires <= seconds) return std::unexpected(Failure::kExpired);
    return std::move(claims);
}

}  // namespace agentdb9::auth
