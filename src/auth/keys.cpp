#include "auth/keys.hpp"

#include "auth/jwt.hpp"
#include "base/crypto.hpp"
#include "base/error.hpp"

namespace agentdb9::auth {
namespace {

// The expand step of RFC 5869 for one block. The secret is either random or the operator's own choice of at
// least 32 bytes, so the extract step would add nothing.
std::string derive(std::string_view secret, std::string_view label) {
    std::string info = "agentdb9 ";
    info += label;
    info += '\x01';
    const auto key = base::hmac_sha256(secret, info);
    return {key.begin(), key.end()};
}

}  // namespace

Keys Keys::from_secret(std::string_view secret) {
    if (secret.size() < kMinKeyBytes) {
        throw base::Error(
            base::ErrorCode::kInvalid, "jwt_secret_too_short",
            "The JWT secret has fewer than 32 bytes: choose a longer one, or unset it to have one made.");
    }
    return {std::string(secret), derive(secret, "refresh token"), derive(secret, "application cookie")};
}

}  // namespace agentdb9::auth
