#include "services/project_workspace_service.hpp"

#include <algorithm>

#include "services/access.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::Project;
using store::Transaction;

Task<Project> ProjectWorkspaceService::assign_project_to_workspace(base::UserId user,
                                                                   base::WorkspaceId workspace_id,
                                                                   base::ProjectId project_id) {
    const auto now = clock_.now();
    co_return co_await store_.write([=](Transaction& tx) {
        const auto workspace = owned_workspace(tx, user, workspace_id);
        auto project = owned_project(tx, user, project_id);
        if (workspace.desired_state == model::DesiredState::kDeleted) {
            throw base::conflict("workspace_deleting",
                                 "This workspace is being deleted; choose another one.");
        }
        if (!model::is_compatible(project.workspace_type, workspace.type)) {
            throw Error(ErrorCode::kInvalid, "incompatible_type",
                        "The project belongs to workspaces of type '" + project.workspace_type.value_or("") +
                            "', this one is of type '" + workspace.type +
                            "'; unassign it first or choose another workspace.")
                .with_field("projectId", "belongs to another type of workspace");
        }
        project.workspace_id = workspace.id;
        project.workspace_type = workspace.type;
        project.updated_at = now;
        tx.projects().update(project);
        return project;
    });
}

Task<Project> ProjectWorkspaceService::unassign_project_from_workspace(base::UserId user,
                                                                       base::WorkspaceId workspace_id,
                                                                       base::ProjectId project_id) {
    const auto now = clock_.now();
    auto [project, let_go] = co_await store_.write([=](Transaction& tx) {
        auto workspace = owned_workspace(tx, user, workspace_id);
        auto row = owned_project(tx, user, project_id);
        const bool current =
            workspace.current_project_id == project_id || workspace.next_project_id == project_id;
        if (row.workspace_id != workspace_id && !current) {
            throw Error(ErrorCode::kInvalid, "not_assigned",
                        "The project is not assigned to this workspace; nothing to undo.")
                .with_field("projectId", "is not assigned to this workspace");
        }
        if (current && workspace.desired_state == model::DesiredState::kRunning) {
            throw base::conflict(
                "project_in_use",
                "The workspace is running with this project; stop it or switch it to another project first.");
        }
        if (current) {
            workspace.current_project_id.reset();
            workspace.updated_at = now;
            tx.workspaces().update(workspace);
        }
        row.workspace_id.reset();
        row.workspace_type.reset();
        row.updated_at = now;
        tx.projects().update(row);
        return std::pair(row, current);
    });
    if (let_go) reconciler_.desire_changed(workspace_id);
    co_return project;
}

Task<std::vector<Project>> ProjectWorkspaceService::projects_by_workspace(base::UserId user,
                                                                          base::WorkspaceId workspace) {
    co_return co_await store_.read([=](Transaction& tx) {
        owned_workspace(tx, user, workspace);
        auto projects = tx.projects().of_workspace(workspace);
        std::erase_if(projects, [&](const Project& project) { return project.user_id != user; });
        return projects;
    });
}

Task<std::vector<Project>> ProjectWorkspaceService::projects_in_reach(base::UserId user,
                                                                      base::WorkspaceId workspace) {
    co_return co_await store_.read([=](Transaction& tx) {
        const auto row = tx.workspaces().find(workspace);
        if (!row || row->user_id != user) return std::vector<Project>();
        auto projects = tx.projects().of_workspace(workspace);
        const bool listed = !row->current_project_id || std::ranges::find(projects, *row->current_project_id,
                                                                          &Project::id) != projects.end();
        if (!listed)
            if (auto current = tx.projects().find(*row->current_project_id))
                projects.push_back(std::move(*current));
        std::erase_if(projects, [&](const Project& project) { return project.user_id != user; });
        return projects;
    });
}

Task<bool> ProjectWorkspaceService::is_project_of(base::UserId user, base::WorkspaceId workspace,
                                                  base::ProjectId project) {
    co_return co_await store_.read([=](Transaction& tx) {
        const auto of = tx.workspaces().find(workspace);
        const auto row = tx.projects().find(project);
        return of && row && of->user_id == user && row->user_id == user &&
               (row->workspace_id == workspace || of->current_project_id == project);
    });
}

Task<std::vector<Project>> ProjectWorkspaceService::compatible_projects(base::UserId user,
                                                                        base::WorkspaceId workspace) {
    co_return co_await store_.read([=](Transaction& tx) {
        const auto row = owned_workspace(tx, user, workspace);
        return tx.projects().compatible(user, row.type);
    });
}

Task<store::Listing<Project>> ProjectWorkspaceService::unassigned_projects(base::UserId user,
                                                                           store::Page page) {
    co_return co_await store_.read([=](Transaction& tx) { return tx.projects().unassigned(user, page); });
}

Task<ProjectCounts> ProjectWorkspaceService::workspace_stats(base::UserId user, base::WorkspaceId workspace) {
    co_return co_await store_.read([=](Transaction& tx) {
        const auto row = owned_workspace(tx, user, workspace);
        ProjectCounts counts;
        counts.total = tx.projects().count_of_user(user);
        for (const auto& project : tx.projects().of_workspace(workspace)) {
            if (project.user_id == user) ++counts.assigned;
        }
        if (row.current_project_id) {
            counts.current = tx.projects().find(*row.current_project_id);
            if (counts.current && counts.current->user_id != user) counts.current.reset();
        }
        return counts;
    });
}

}  // namespace agentdb9::services
