// JSON Web Tokens (RFC 7519) as compact JWS (RFC 7515) with HS256 (RFC 7518 section 3.2), and nothing else:
// the algorithm is ours and never read from the token. Pure; any thread; never throws for what a token
// contains.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "auth/failure.hpp"
#include "base/json.hpp"
#include "base/time.hpp"

namespace agentdb9::auth {

// RFC 7518 section 3.2: a key is at least as long as the hash.
inline constexpr std::size_t kMinKeyBytes = 32;

// Ends the process for a key that is too short: composing the program has checked it.
std::string sign_jwt(const json::object& claims, std::string_view key);

// The claims of a token that we signed, that has an `exp` after `now`, and whose `nbf` and `iat`, where
// present, lie no more than a minute ahead. kExpired only for tokens whose signature is right.
std::expected<json::object, Failure> verify_jwt(std::string_view token, std::string_view key, base::Time now);

}  // namespace agentdb9::auth
