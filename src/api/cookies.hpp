// The page's own session: its refresh token travels in a cookie that no script can read, only to /api/auth
// and only from our own pages. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "http/message.hpp"

namespace agentdb9::api {

// The cookie's values in the request, in order. More than one where a page of an application, on another port
// of this host or beside it below one domain, has set its own: browsers send those of the longer path first.
std::vector<std::string> refresh_cookies(const http::Request& request);

// HttpOnly, SameSite=Strict, Path=/api/auth; Secure where the client came by https.
void set_refresh_cookie(http::Response& response, const http::Request& request, const std::string& token,
                        base::Time now, base::Time expires_at);
// Ours, and every other of the name that reaches us: whatever its path, and for whichever domain it was set.
void clear_refresh_cookies(http::Response& response, const http::Request& request);

// SameSite does not tell the applications' port from ours, so a request that uses the cookie must come from a
// page of this origin, which its Origin or Sec-Fetch-Site says. Throws Error{kForbidden, "foreign_origin"}.
// `public_url`: how browsers reach this origin; empty: what Host says.
void require_own_origin(const http::Request& request, const std::string& public_url);

}  // namespace agentdb9::api
