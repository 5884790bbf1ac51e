#include "model/token_scope.hpp"

namespace agentdb9::model {

std::string needs_write() {
    return "This API token may only read: this needs one with the scope 'write'.";
}

std::string needs_full() {
    return "This API token has scopes, and none covers accounts, tokens, sessions and administration: log "
           "in, or use a token without scopes.";
}

std::string is_for_another_workspace(const base::WorkspaceId& own) {
    return "This API token is for the workspace " + own.str() +
           " alone: another one needs a token of its own, or one that is not for a single workspace.";
}

std::string is_for_one_workspace(const base::WorkspaceId& own) {
    return "This API token is for the workspace " + own.str() +
           " alone, and this is not part of it: use a token that is not for a single workspace.";
}

std::optional<std::string> refuse_application(const TokenScope& scope,
                                              const std::optional<base::WorkspaceId>& workspace) {
    if (scope.workspace && !workspace) return is_for_one_workspace(*scope.workspace);
    if (scope.workspace && scope.workspace != workspace) return is_for_another_workspace(*scope.workspace);
    // What an application does for a GET, nobody knows.
    if (scope.power == TokenPower::kRead) return needs_write();
    return std::nullopt;
}

}  // namespace agentdb9::model
