// /api/workspaces/:id/activity and keep-alive: why a workspace is on still, or was stopped, and what keeps it
// on.
#pragma once

#include "api/router.hpp"
#include "services/idle_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct IdleServices {
    base::Clock& clock;
    services::WorkspacesService& workspaces;
    services::IdleService& idle;
};

void add_idle_routes(Router& router, const IdleServices& services);

}  // namespace agentdb9::api
