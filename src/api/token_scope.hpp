// What an API token with a scope may ask the API for: one decision for each call, by its verb and pattern. A
// call that has none is refused to every such token; a test holds the decisions against the router. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/router.hpp"
#include "model/token_scope.hpp"

namespace agentdb9::api {

// What of the call a token for one workspace gets.
enum class Reach {
    kCommon,     // it is the same for every workspace, or its answer holds only what is of the token's own
    kOwn,        // its ":id" is a workspace: the token's own
    kProject,    // its ":id" is a project: one that is assigned to the workspace, or its current one
    kAllOwners,  // nothing: it is about all that the owner has
};

struct ScopeDecision {
    std::string_view call;                               // "GET /api/workspaces/:id"
    model::TokenPower power = model::TokenPower::kFull;  // the least that the token must have
    Reach reach = Reach::kAllOwners;
};

// All of them.
std::span<const ScopeDecision> scope_decisions();

struct ScopeVerdict {
    std::optional<std::string> refusal;  // a sentence; absent: the token is enough, as far as the path tells
    // Whether the project in the path is of the token's workspace has yet to be looked at.
    bool asks_for_project = false;
};

// `endpoint` is none that is public.
ScopeVerdict judge_scope(const model::TokenScope& scope, const Endpoint& endpoint,
                         const Parameters& parameters);

}  // namespace agentdb9::api
