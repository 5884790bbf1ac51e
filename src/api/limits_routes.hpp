// /api/workspaces/:id/limits: what a workspace may use, and what of that is not in force yet.
#pragma once

#include "api/router.hpp"
#include "services/limits_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct LimitsServices {
    const model::Catalogue& catalogue;
    services::WorkspacesService& workspaces;
    services::LimitsService& limits;
};

void add_limits_routes(Router& router, const LimitsServices& services);

// From when on each of the fields in which the two differ is in force: "now" or "next_start".
json::object applies_at(const model::ResourceLimits& before, const model::ResourceLimits& now, bool running,
                        const services::LimitsService::Pending& pending);

}  // namespace agentdb9::api
