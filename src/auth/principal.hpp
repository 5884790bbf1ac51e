// Who is asking, once their credential has been checked. A value; any thread.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/entities.hpp"

namespace agentdb9::auth {

// An application cookie is good for one workspace and one port only.
struct ApplicationScope {
    base::WorkspaceId workspace;
    int port = 0;
    friend bool operator==(const ApplicationScope&, const ApplicationScope&) = default;
};

struct Principal {
    base::UserId user;
    std::string email;
    std::string username;
    model::Role role = model::Role::kUser;
    std::optional<base::SessionId> session;     // of an access token or a cookie taken in that session
    std::optional<base::ApiTokenId> api_token;  // of an API token or a cookie taken with it
    std::optional<ApplicationScope> scope;      // present for cookies; absent: everything of the user's
    base::Time expires_at;                      // to be asked about again then
    // When the API token itself is over, and with it what goes on under it; absent: no end is set.
    std::optional<base::Time> ends_at = {};
    // Of an API token, and of a cookie taken with it; of others: everything.
    model::TokenScope token_scope = {};
};

inline bool has_ended(const Principal& principal, base::Time now) {
    return principal.ends_at && *principal.ends_at <= now;
}

// What a worker hands up to be checked. The text is a secret.
struct Credential {
    enum class Kind { kBearer, kApplicationCookie };
    Kind kind = Kind::kBearer;
    std::string text;
};

// Told to every cache: principals that match any present member are no longer valid.
struct Revocation {
    std::optional<base::UserId> user;  // all of the user's
    std::optional<base::SessionId> session;
    std::optional<base::ApiTokenId> api_token;
    // With `user`: the one session that stays valid (change-password).
    std::optional<base::SessionId> except_session;

    bool covers(const Principal& principal) const {
        if (except_session && principal.session == except_session) return false;
        return (user && principal.user == *user) || (session && principal.session == session) ||
               (api_token && principal.api_token == api_token);
    }
};

}  // namespace agentdb9::auth
