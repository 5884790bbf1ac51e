#include "services/quota_rules.hpp"

#include <algorithm>

#include "services/access.hpp"
#include "services/specs.hpp"

namespace agentdb9::services {

using base::ErrorCode;

namespace {

// A container is not given less memory than it uses, whatever its limit is by now.
model::ResourceLimits counted_limits(const model::Workspace& workspace, const model::WorkspaceType& type) {
    auto limits = limits_of(workspace, type);
    limits.memory_mb = std::max(limits.memory_mb, workspace.memory_held_mb.value_or(0));
    return limits;
}

}  // namespace

model::Quota quota_of(store::Transaction& tx, const base::UserId& user, const model::Quota& of_all) {
    return model::in_force(tx.quotas().of_user(user), of_all);
}

model::QuotaUse quota_use(store::Transaction& tx, const base::UserId& user,
                          const model::Catalogue& catalogue) {
    model::QuotaUse use;
    for (const auto& workspace : workspaces_that_stay(tx, user)) {
        ++use.workspaces;
        if (workspace.desired_state != model::DesiredState::kRunning) continue;
        ++use.running;
        const auto* type = catalogue.find(workspace.type);
        if (type == nullptr) continue;  // the operator took it away: it does not start any more
        const auto limits = counted_limits(workspace, *type);
        use.cpus += limits.cpus;
        use.memory_mb += limits.memory_mb;
    }
    if (const auto volumes = tx.quotas().volume_use(user)) use.volume_bytes = volumes->bytes;
    return use;
}

void require_room_to_create(store::Transaction& tx, const base::UserId& user,
                            const model::Catalogue& catalogue, const model::Quota& of_all) {
    const auto quota = quota_of(tx, user, of_all);
    if (quota.empty()) return;
    const auto excess = model::excess_by_creating(quota, quota_use(tx, user, catalogue));
    if (!excess.empty()) throw model::quota_exceeded(ErrorCode::kForbidden, excess);
}

void require_room_for_files(store::Transaction& tx, const base::UserId& user, const model::Quota& of_all) {
    const auto quota = quota_of(tx, user, of_all);
    if (!quota.volume_bytes) return;
    model::QuotaUse use;
    if (const auto volumes = tx.quotas().volume_use(user)) use.volume_bytes = volumes->bytes;
    const auto excess = model::excess_by_files(quota, use);
    if (!excess.empty()) throw model::quota_exceeded(ErrorCode::kForbidden, excess);
}

void require_room_to_start(store::Transaction& tx, const model::Workspace& workspace,
                           const model::Catalogue& catalogue, const model::Quota& of_all) {
    const auto quota = quota_of(tx, workspace.user_id, of_all);
    const auto* type = catalogue.find(workspace.type);
    if (quota.empty() || type == nullptr) return;
    const auto excess = model::excess_by_starting(quota, quota_use(tx, workspace.user_id, catalogue),
                                                  limits_of(workspace, *type));
    if (!excess.empty()) throw model::quota_exceeded(ErrorCode::kQuota, excess);
}

void require_room_to_change(store::Transaction& tx, const model::Workspace& before,
                            const model::Workspace& now, const model::WorkspaceType& type,
                            const model::Catalogue& catalogue, const model::Quota& of_all) {
    if (now.desired_state != model::DesiredState::kRunning) return;
    const auto quota = quota_of(tx, now.user_id, of_all);
    if (quota.empty()) return;
    const auto excess = model::excess_by_changing(quota, quota_use(tx, now.user_id, catalogue),
                                                  counted_limits(before, type), counted_limits(now, type));
    if (!excess.empty()) throw model::quota_exceeded(ErrorCode::kQuota, excess);
}

}  // namespace agentdb9::services
