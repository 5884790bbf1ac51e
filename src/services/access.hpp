// Finding rows for the user who asks. What is another's answers exactly like what is not there. Runs inside a
// transaction.
#pragma once

#include "base/error.hpp"
#include "store/transaction.hpp"

namespace agentdb9::services {

// Throw Error{kNotFound}.
model::Workspace owned_workspace(store::Transaction& tx, const base::UserId& user,
                                 const base::WorkspaceId& id);
model::Project owned_project(store::Transaction& tx, const base::UserId& user, const base::ProjectId& id);

// All of the user's workspaces that are not being deleted; the default first, then the newest.
std::vector<model::Workspace> workspaces_that_stay(store::Transaction& tx, const base::UserId& user);
bool has_default(store::Transaction& tx, const base::UserId& user);

// Throws Error{kConflict, "project_in_use"} when a workspace other than `except` runs with the project, or is
// about to.
void require_project_free(store::Transaction& tx, const base::ProjectId& project,
                          const std::optional<base::WorkspaceId>& except);

}  // namespace agentdb9::services
