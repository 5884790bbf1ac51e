// POST /api/workspaces/:id/exec: a command in a workspace's container, its output collected or as it comes.
#pragma once

#include "api/router.hpp"
#include "base/clock.hpp"
#include "services/execution_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct ExecutionServices {
    base::Clock& clock;
    services::WorkspacesService& workspaces;
    services::ExecutionService& executions;
};

void add_execution_routes(Router& router, const ExecutionServices& services);

}  // namespace agentdb9::api
