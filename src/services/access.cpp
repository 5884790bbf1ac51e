#include "services/access.hpp"

namespace agentdb9::services {

model::Workspace owned_workspace(store::Transaction& tx, const base::UserId& user,
                                 const base::WorkspaceId& id) {
    auto workspace = tx.workspaces().find(id);
    if (!workspace || workspace->user_id != user) throw base::not_found("workspace");
    return std::move(*workspace);
}

model::Project owned_project(store::Transaction& tx, const base::UserId& user, const base::ProjectId& id) {
    auto project = tx.projects().find(id);
    if (!project || project->user_id != user) throw base::not_found("project");
    return std::move(*project);
}

void require_project_free(store::Transaction& tx, const base::ProjectId& project,
                          const std::optional<base::WorkspaceId>& except) {
    for (const auto& other : tx.workspaces().using_project(project)) {
        if (except && other.id == *except) continue;
        if (other.desired_state != model::DesiredState::kRunning) continue;
        throw base::conflict("project_in_use",
                             "The workspace '" + other.name +
                                 "' is running with this project; stop it or switch it to another project "
                                 "first.");
    }
}

}  // namespace agentdb9::services
