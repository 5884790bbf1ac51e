// The other texts that stand for a permission: API tokens, refresh tokens, proxy tickets. All are random and
// kept only as a hash. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace agentdb9::auth {

// What is kept of a token: SHA-256 in hexadecimal digits. The tokens carry 256 random bits, so a salt and a
// slow hash would add nothing.
std::string token_hash(std::string_view token);

// The same for an API token that may not do everything: a server of a version before scopes, on the same
// database, then does not know the token at all, rather than take it for one that may.
std::string scoped_token_hash(std::string_view token);

// "adb9_" and 32 random bytes in base64url.
std::string make_api_token();
bool is_api_token(std::string_view text);
// The first characters, enough to tell one's tokens apart and too few to guess the rest.
std::string api_token_hint(std::string_view token);

// "{session}.{32 random bytes}.{MAC}". The session's id makes every earlier token of a session known as such
// when it is used again; the MAC keeps others from making up tokens that would end a session.
std::string make_refresh_token(const base::SessionId& session, std::string_view key);
// Whether it may be one, of whatever server.
bool is_like_refresh_token(std::string_view text);
// The session of a token that we made.
std::optional<base::SessionId> session_of_refresh_token(std::string_view text, std::string_view key);

// 32 random bytes in base64url.
std::string make_ticket();
bool is_ticket(std::string_view text);

}  // namespace agentdb9::auth
