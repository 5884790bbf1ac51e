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

std::vector<model::Workspace> workspaces_that_stay(store::Transaction& tx, const base::UserId& user) {
    std::vector<model::Workspace> found;
    store::Page page;
    do {
        auto listing = tx.workspaces().of_user(user, page);
        for (auto& row : listing.rows) {
            if (row.desired_state != model::DesiredState::kDeleted) found.push_back(std::move(row));
        }
        page.cursor = std::move(listing.next);
    } while (page.cursor);
    return found;
}

bool has_default(store::Transaction& tx, const base::UserId& user) {
    // It would be the first.
    const auto first = tx.workspaces().of_user(user, {.limit = 1, .cursor = {}}).rows;
    return !first.empty() && first.front().is_default &&
           first.front().desired_state != model::DesiredState::kDeleted;
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
