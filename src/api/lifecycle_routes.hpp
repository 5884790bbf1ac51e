// /api/workspaces/:id/…: what changes or shows the workspace's container: start, stop, restart, switch,
// delete, status, operations, and the ticket that opens its application in a browser.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api/router.hpp"
#include "services/tickets.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// How browsers reach the applications' origin.
struct ApplicationsOrigin {
    bool secure = false;     // its listener speaks TLS
    std::string url;         // "https://apps.example"; empty: the request's own host with the port below
    std::uint16_t port = 0;  // of the applications' listener
};

// All outlive the router.
struct LifecycleServices {
    const model::Catalogue& catalogue;
    services::WorkspacesService& workspaces;
    services::WorkspaceContainerService& containers;
    services::TicketService& tickets;
    // Asked anew each time: the port may be chosen by the system.
    std::function<ApplicationsOrigin()> applications;
};

void add_lifecycle_routes(Router& router, const LifecycleServices& services);

// What a lifecycle call answers: the workspace with `message` when it is done, 202 with the operation while
// it goes on.
http::Response respond(const services::WorkspaceContainerService& containers,
                       const services::Requested& requested, std::string_view message);
// `Prefer: respond-async` and `?force=true`.
services::RequestOptions request_options(const Call& call);

}  // namespace agentdb9::api
