// /api/admin: everybody's accounts and workspaces, and the installation in numbers, for administrators.
#pragma once

#include <functional>

#include "api/admin_views.hpp"
#include "api/router.hpp"
#include "services/administration.hpp"

namespace agentdb9::api {

// All outlive the router. `server`: as it is just now.
struct AdminServices {
    services::AdministrationService& administration;
    services::WorkspaceContainerService& containers;
    std::function<ServerSays()> server;
};

void add_admin_routes(Router& router, const AdminServices& services);

}  // namespace agentdb9::api
