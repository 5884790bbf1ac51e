// /api/workspaces/:id/shares: who beside the owner may use which port. The owner's to see and to change.
#pragma once

#include <functional>

#include "api/application_urls.hpp"
#include "api/router.hpp"
#include "services/shares.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct ShareServices {
    services::WorkspacesService& workspaces;
    services::ShareService& shares;
    std::function<ApplicationsOrigin()> applications;  // asked anew each time
};

void add_share_routes(Router& router, const ShareServices& services);

}  // namespace agentdb9::api
