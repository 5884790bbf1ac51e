// RFC 6750 section 2.1: the Authorization header's bearer token. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace agentdb9::auth {

// The token in "Bearer <token>" (the scheme in any case), a view into `header`. Absent for another scheme,
// for an empty token and for characters outside RFC 6750's token68.
std::optional<std::string_view> bearer_token(std::string_view header);
// The same with any characters, for who looks it up among tokens that were checked.
std::optional<std::string_view> bearer_text(std::string_view header);

// Every text in an Authorization header's value, of whatever scheme and at whatever place, that has the form
// of an access or refresh token: three parts of base64url with dots between them, the last a MAC of 32 bytes.
// Views into `header`.
std::vector<std::string_view> signed_texts(std::string_view header);

}  // namespace agentdb9::auth
