// Which project belongs to which workspace. Same user, compatible type, type set on assignment. Control
// executor.
#pragma once

#include <optional>
#include <vector>

#include "services/reconciler.hpp"

namespace agentdb9::services {

struct ProjectCounts {
    std::int64_t total = 0;     // all of the user's
    std::int64_t assigned = 0;  // this workspace's
    std::optional<model::Project> current;
};

class ProjectWorkspaceService {
  public:
    ProjectWorkspaceService(base::Clock& clock, store::Store& store, Reconciler& reconciler)
        : clock_(clock), store_(store), reconciler_(reconciler) {}

    // kInvalid "incompatible_type". Assigned elsewhere already: moves here.
    Task<model::Project> assign_project_to_workspace(base::UserId user, base::WorkspaceId workspace,
                                                     base::ProjectId project);
    // kConflict "project_in_use" while the workspace runs with it; kInvalid "not_assigned" when it is not
    // assigned to it.
    Task<model::Project> unassign_project_from_workspace(base::UserId user, base::WorkspaceId workspace,
                                                         base::ProjectId project);
    Task<std::vector<model::Project>> projects_by_workspace(base::UserId user, base::WorkspaceId workspace);
    // The same and the current project, where that is assigned to none or another; none of a workspace that
    // is gone.
    Task<std::vector<model::Project>> projects_in_reach(base::UserId user, base::WorkspaceId workspace);
    Task<bool> is_project_of(base::UserId user, base::WorkspaceId workspace, base::ProjectId project);
    Task<std::vector<model::Project>> compatible_projects(base::UserId user, base::WorkspaceId workspace);
    Task<store::Listing<model::Project>> unassigned_projects(base::UserId user, store::Page page);
    Task<ProjectCounts> workspace_stats(base::UserId user, base::WorkspaceId workspace);

  private:
    base::Clock& clock_;
    store::Store& store_;
    Reconciler& reconciler_;
};

}  // namespace agentdb9::services
