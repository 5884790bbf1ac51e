// The cookie that opens one application in a browser: good for one user, workspace and port, and only as long
// as the session or API token that its ticket was asked for with. Signed, not encrypted: it holds no secret
// beyond itself. Pure; any thread.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "auth/failure.hpp"
#include "auth/principal.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

namespace agentdb9::auth {

inline constexpr std::string_view kApplicationCookieName = "agentdb9_app";
inline constexpr std::chrono::hours kApplicationCookieLife{7 * 24};

struct ApplicationCookie {
    base::UserId user;
    std::optional<base::SessionId> session;
    std::optional<base::ApiTokenId> api_token;  // exactly one of the two is present
    ApplicationScope scope;
    base::Time expires_at;  // to the second
};

// A cookie-octet text (RFC 6265 section 4.1.1).
std::string seal_application_cookie(const ApplicationCookie& cookie, std::string_view key);
std::expected<ApplicationCookie, Failure> open_application_cookie(std::string_view text, std::string_view key,
                                                                  base::Time now);

}  // namespace agentdb9::auth
