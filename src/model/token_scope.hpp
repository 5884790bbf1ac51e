// What an API token may do, of what its owner may: as it was made, for good. Pure values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace agentdb9::model {

enum class TokenPower {
    kRead,   // looks by the API; changes, starts and opens nothing
    kWrite,  // everything but the account, its tokens and sessions, and administration
    kFull,   // everything
};

struct TokenScope {
    TokenPower power = TokenPower::kFull;
    // The one workspace that it is for; absent: all of its owner's.
    std::optional<base::WorkspaceId> workspace = {};

    bool is_full() const { return power == TokenPower::kFull && !workspace; }
    friend bool operator==(const TokenScope&, const TokenScope&) = default;
};

// The word of a refusal for want of scope, by whichever plane.
inline constexpr std::string_view kTokenScope = "token_scope";

// Why an application is not opened: a sentence that says which token would; absent where it is. `workspace`:
// whose application; absent: a fixed upstream, which is no workspace's.
std::optional<std::string> refuse_application(const TokenScope& scope,
                                              const std::optional<base::WorkspaceId>& workspace);

// The sentences of that, which the API's own calls use, too.
std::string needs_write();
std::string needs_full();
std::string is_for_another_workspace(const base::WorkspaceId& own);
std::string is_for_one_workspace(const base::WorkspaceId& own);

}  // namespace agentdb9::model
