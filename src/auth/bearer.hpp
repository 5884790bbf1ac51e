// RFC 6750 section 2.1: the Authorization header's bearer token. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace agentdb9::auth {

// The token in "Bearer <token>" (the scheme in any case), a view into `header`. Absent for another scheme,
// for an empty token and for characters outside RFC 6750's token68.
std::optional<std::string_view> bearer_token(std::string_view header);

}  // namespace agentdb9::auth
