// Access tokens: JWTs with the claims that clients know. Pure; any thread.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "auth/failure.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/entities.hpp"

namespace agentdb9::auth {

inline constexpr std::chrono::seconds kAccessTokenLife{3600};

// `email`, `username` and `role` in the token are for clients to show; only the store's count.
std::string make_access_token(const model::User& user, const base::SessionId& session, base::Time now,
                              std::string_view key);

struct AccessToken {
    base::UserId user;
    base::SessionId session;
    base::Time expires_at;
};
std::expected<AccessToken, Failure> read_access_token(std::string_view text, std::string_view key,
                                                      base::Time now);

}  // namespace agentdb9::auth
