// GET /api/workspaces/events and /api/workspaces/:id/events: what happens to a user's workspaces, as it
// happens.
#pragma once

#include "api/router.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspace_events.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct WorkspaceEventServices {
    services::WorkspacesService& workspaces;
    services::WorkspaceEvents& events;
};

void add_workspace_event_routes(Router& router, const WorkspaceEventServices& services);

// `workspace`, `operation`, `snapshot` or `deleted`, as server-sent events.
std::string workspace_event_text(const services::WorkspaceEvent& event,
                                 const services::WorkspaceContainerService& containers);

}  // namespace agentdb9::api
