#pragma once

#include "api/router.hpp"
#include "base/clock.hpp"
#include "services/projects_service.hpp"
#include "services/restores.hpp"

namespace agentdb9::api {

struct BackupServices {
    services::ProjectsService& projects;
    services::BackupService& backups;
    services::RestoreService& restores;
    services::ProjectWork& work;
    services::BackupFiles& files;
    base::Clock& clock;
};

void add_backup_routes(Router& router, const BackupServices& services);

}  // namespace agentdb9::api
