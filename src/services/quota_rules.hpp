// Whether there is room for what a user asks for: counted in the transaction that writes it, so that two at
// once do not both find the last of it. All run inside a transaction.
#pragma once

#include "model/quota.hpp"
#include "model/workspace_type.hpp"
#include "store/transaction.hpp"

namespace agentdb9::services {

// `of_all`: as the configuration has it.
model::Quota quota_of(store::Transaction& tx, const base::UserId& user, const model::Quota& of_all);
// What is being deleted does not count; what is to run, or does, counts as running.
model::QuotaUse quota_use(store::Transaction& tx, const base::UserId& user,
                          const model::Catalogue& catalogue);

// Throws {kForbidden, "quota_exceeded"}.
void require_room_to_create(store::Transaction& tx, const base::UserId& user,
                            const model::Catalogue& catalogue, const model::Quota& of_all);
// For a project's files once more. Throws {kForbidden, "quota_exceeded"}.
void require_room_for_files(store::Transaction& tx, const base::UserId& user, const model::Quota& of_all);
// Of one that is not to run so far. Throws {kQuota, "quota_exceeded"}, as the next does.
void require_room_to_start(store::Transaction& tx, const model::Workspace& workspace,
                           const model::Catalogue& catalogue, const model::Quota& of_all);
// Other limits for one that runs, whose row has still those of before.
void require_room_to_change(store::Transaction& tx, const model::Workspace& before,
                            const model::Workspace& now, const model::WorkspaceType& type,
                            const model::Catalogue& catalogue, const model::Quota& of_all);

}  // namespace agentdb9::services
