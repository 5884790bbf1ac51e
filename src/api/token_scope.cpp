#include "api/token_scope.hpp"

#include <algorithm>
#include <array>

namespace agentdb9::api {
namespace {

using enum model::TokenPower;
using enum Reach;

constexpr auto kDecisions = std::to_array<ScopeDecision>({
    // Who asks may know who they are. What else there is to an account is nobody's but its owner's.
    {"GET /api/auth/profile", kRead, kCommon},
    {"PATCH /api/auth/profile", kFull, kAllOwners},
    {"POST /api/auth/change-password", kFull, kAllOwners},
    {"POST /api/auth/logout", kFull, kAllOwners},
    {"GET /api/auth/tokens", kFull, kAllOwners},
    {"POST /api/auth/tokens", kFull, kAllOwners},
    {"DELETE /api/auth/tokens/:id", kFull, kAllOwners},
    {"GET /api/auth/sessions", kFull, kAllOwners},
    {"DELETE /api/auth/sessions", kFull, kAllOwners},
    {"DELETE /api/auth/sessions/:id", kFull, kAllOwners},

    {"GET /api/workspaces/types", kRead, kCommon},
    {"GET /api/workspaces", kRead, kCommon},
    {"POST /api/workspaces", kWrite, kAllOwners},
    {"GET /api/workspaces/quota", kRead, kAllOwners},
    {"GET /api/workspaces/stats", kRead, kAllOwners},
    {"GET /api/workspaces/events", kRead, kAllOwners},
    {"GET /api/workspaces/type/:type", kRead, kAllOwners},
    {"GET /api/workspaces/:id", kRead, kOwn},
    {"PUT /api/workspaces/:id", kWrite, kOwn},
    {"DELETE /api/workspaces/:id", kWrite, kOwn},
    {"GET /api/workspaces/:id/limits", kRead, kOwn},
    {"POST /api/workspaces/:id/set-default", kWrite, kOwn},
    {"GET /api/workspaces/:id/projects", kRead, kOwn},
    // Projects that are not the workspace's yet: what is in them would be the token's by taking them in.
    {"GET /api/workspaces/:id/compatible-projects", kRead, kAllOwners},
    {"GET /api/workspaces/:id/project-stats", kRead, kOwn},
    {"POST /api/workspaces/:id/assign-project", kWrite, kAllOwners},
    {"POST /api/workspaces/:id/unassign-project", kWrite, kAllOwners},
    {"POST /api/workspaces/:id/start", kWrite, kOwn},
    {"POST /api/workspaces/:id/stop", kWrite, kOwn},
    {"POST /api/workspaces/:id/restart", kWrite, kOwn},
    {"POST /api/workspaces/:id/switch-project", kWrite, kOwn},
    {"GET /api/workspaces/:id/status", kRead, kOwn},
    {"GET /api/workspaces/:id/operations", kRead, kOwn},
    {"GET /api/workspaces/:id/activity", kRead, kOwn},
    {"POST /api/workspaces/:id/keep-alive", kWrite, kOwn},
    {"GET /api/workspaces/:id/history", kRead, kOwn},
    {"GET /api/workspaces/:id/events", kRead, kOwn},
    {"GET /api/workspaces/:id/health", kRead, kOwn},
    {"GET /api/workspaces/:id/logs", kRead, kOwn},
    {"GET /api/workspaces/:id/logs/stream", kRead, kOwn},
    {"GET /api/workspaces/:id/container-stats", kRead, kOwn},
    {"GET /api/workspaces/:id/container-stats/stream", kRead, kOwn},
    {"POST /api/workspaces/:id/exec", kWrite, kOwn},
    // By the workspace's own programs, with all that its user may read there.
    {"GET /api/workspaces/:id/files", kWrite, kOwn},
    {"PUT /api/workspaces/:id/files", kWrite, kOwn},
    // A GET by its verb alone.
    {"GET /api/workspaces/:id/terminal", kWrite, kOwn},
    {"GET /api/workspaces/:id/terminals", kRead, kOwn},
    {"DELETE /api/workspaces/:id/terminals/:terminalId", kWrite, kOwn},
    {"POST /api/workspaces/:id/terminal-ticket", kWrite, kOwn},
    {"POST /api/workspaces/:id/proxy-ticket", kWrite, kOwn},
    // Its answer has links that open the application for whoever has them.
    {"GET /api/workspaces/:id/shares", kWrite, kOwn},
    {"POST /api/workspaces/:id/shares", kWrite, kOwn},
    {"DELETE /api/workspaces/:id/shares/:shareId", kWrite, kOwn},

    {"GET /api/projects", kRead, kCommon},
    {"POST /api/projects", kWrite, kAllOwners},
    {"GET /api/projects/unassigned", kRead, kAllOwners},
    {"POST /api/projects/import", kWrite, kAllOwners},
    {"GET /api/projects/:id", kRead, kProject},
    {"PUT /api/projects/:id", kWrite, kAllOwners},
    {"DELETE /api/projects/:id", kWrite, kAllOwners},
    {"GET /api/projects/:id/volume", kRead, kProject},
    {"GET /api/projects/:id/files", kRead, kProject},
    {"GET /api/projects/:id/files/content", kRead, kProject},
    {"GET /api/projects/:id/export", kRead, kProject},
    {"GET /api/projects/:id/operations", kRead, kProject},
    {"GET /api/projects/:id/events", kRead, kProject},
    {"GET /api/projects/:id/backups", kRead, kProject},
    {"POST /api/projects/:id/backups", kWrite, kProject},
    {"GET /api/projects/:id/backups/:backupId", kRead, kProject},
    {"GET /api/projects/:id/backups/:backupId/download", kRead, kProject},
    // A backup may be the last that is left of a project, and one that is restored may be another project's.
    {"DELETE /api/projects/:id/backups/:backupId", kWrite, kAllOwners},
    {"POST /api/projects/:id/restore", kWrite, kAllOwners},
    {"POST /api/projects/:id/clone", kWrite, kAllOwners},
    {"GET /api/backups", kRead, kAllOwners},
    {"POST /api/workspaces/projects/:id/backup", kWrite, kProject},
    {"POST /api/workspaces/projects/:id/restore", kWrite, kAllOwners},
    {"POST /api/workspaces/projects/:id/clone", kWrite, kAllOwners},
    {"GET /api/workspaces/projects/:id/volume-size", kRead, kProject},

    {"GET /api/trash", kRead, kAllOwners},
    {"POST /api/trash/:id/restore", kWrite, kAllOwners},
    {"DELETE /api/trash/:id", kWrite, kAllOwners},

    {"GET /api/admin/audit", kFull, kAllOwners},
    {"GET /api/admin/cleaning", kFull, kAllOwners},
    {"GET /api/admin/overview", kFull, kAllOwners},
    {"GET /api/admin/users", kFull, kAllOwners},
    {"POST /api/admin/users", kFull, kAllOwners},
    {"GET /api/admin/users/:id", kFull, kAllOwners},
    {"PATCH /api/admin/users/:id", kFull, kAllOwners},
    {"GET /api/admin/users/:id/quota", kFull, kAllOwners},
    {"PUT /api/admin/users/:id/quota", kFull, kAllOwners},
    {"GET /api/admin/workspaces", kFull, kAllOwners},
    {"POST /api/admin/workspaces/:id/stop", kFull, kAllOwners},
    {"POST /api/workspaces/cleanup", kFull, kAllOwners},
});

const ScopeDecision* decision_of(const Endpoint& endpoint) {
    const auto is_it = [&](const ScopeDecision& each) {
        const auto& call = each.call;
        return call.size() == endpoint.method.size() + 1 + endpoint.pattern.size() &&
               call.starts_with(endpoint.method) && call[endpoint.method.size()] == ' ' &&
               call.ends_with(endpoint.pattern);
    };
    const auto found = std::ranges::find_if(kDecisions, is_it);
    return found == kDecisions.end() ? nullptr : &*found;
}

std::string_view id_in(const Parameters& parameters) {
    const auto found = std::ranges::find(parameters, "id", &Parameters::value_type::first);
    return found == parameters.end() ? std::string_view() : found->second;
}

}  // namespace

std::span<const ScopeDecision> scope_decisions() {
    return kDecisions;
}

ScopeVerdict judge_scope(const model::TokenScope& scope, const Endpoint& endpoint,
                         const Parameters& parameters) {
    if (scope.is_full()) return {};
    const auto* decision = decision_of(endpoint);
    // 1. What it takes to do such a thing at all.
    if (decision == nullptr || decision->power == kFull) return {.refusal = model::needs_full()};
    // 2. Where. An id that is none of a workspace is not the token's own, either.
    ScopeVerdict verdict;
    if (scope.workspace) {
        switch (decision->reach) {
            case kCommon:
                break;
            case kOwn:
                if (base::WorkspaceId::parse(id_in(parameters)) != scope.workspace)
                    return {.refusal = model::is_for_another_workspace(*scope.workspace)};
                break;
            case kProject:
                verdict.asks_for_project = true;
                break;
            case kAllOwners:
                return {.refusal = model::is_for_one_workspace(*scope.workspace)};
        }
    }
    // 3. Whether there.
    if (decision->power == kWrite && scope.power == kRead) return {.refusal = model::needs_write()};
    return verdict;
}

}  // namespace agentdb9::api
