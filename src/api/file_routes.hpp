#pragma once

#include "api/router.hpp"
#include "services/project_files.hpp"
#include "services/projects_service.hpp"

namespace agentdb9::api {

struct FileServices {
    services::ProjectFiles& project_files;
    services::ProjectsService& projects;
    services::BackupFiles& files;
};

void add_file_routes(Router& router, const FileServices& services);

json::object to_json(const services::Usage& usage);

}  // namespace agentdb9::api
