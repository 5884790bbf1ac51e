// /api/workspaces: the catalogue, workspaces as rows, and which projects belong to them.
#pragma once

#include "api/router.hpp"
#include "services/idle_service.hpp"
#include "services/limits_service.hpp"
#include "services/project_workspace_service.hpp"
#include "services/type_availability.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct WorkspaceServices {
    const model::Catalogue& catalogue;
    services::TypeAvailability& availability;
    services::WorkspacesService& workspaces;
    services::ProjectWorkspaceService& projects;
    services::WorkspaceContainerService& containers;
    services::IdleService& idle;
    services::LimitsService& limits;
};

void add_workspace_routes(Router& router, const WorkspaceServices& services);

}  // namespace agentdb9::api
