// Email addresses as names of accounts. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agentdb9::auth {

// The address in lower case; absent when it cannot be one: RFC 5321's dot-string local part (64 bytes, UTF-8
// allowed), '@', and a host name, of which "localhost" is one.
std::optional<std::string> normalize_email(std::string_view text);

}  // namespace agentdb9::auth
