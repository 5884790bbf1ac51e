// /api/projects.
#pragma once

#include "api/router.hpp"
#include "services/docker_volume_service.hpp"
#include "services/project_files.hpp"
#include "services/project_workspace_service.hpp"
#include "services/projects_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct ProjectServices {
    services::ProjectsService& projects;
    services::ProjectWorkspaceService& associations;
    services::DockerVolumeService& volumes;
    services::ProjectFiles& files;
};

void add_project_routes(Router& router, const ProjectServices& services);

}  // namespace agentdb9::api
