// What `agentdb9 backups` asks for: backups of anybody's projects. Only behind the operator's socket.
#pragma once

#include "api/router.hpp"
#include "services/restores.hpp"
#include "services/user_administration.hpp"

namespace agentdb9::api {

struct OperatorBackupServices {
    store::Store& store;
    services::UserAdministration& users;
    services::BackupService& backups;
    services::RestoreService& restores;
    services::ProjectWork& work;
    services::BackupFiles& files;
};

void add_operator_backup_routes(Router& router, const OperatorBackupServices& services);

}  // namespace agentdb9::api
