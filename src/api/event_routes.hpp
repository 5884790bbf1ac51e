// GET /api/workspaces/events and /api/workspaces/:id/events: what happens to a user's workspaces and
// projects, as it happens.
#pragma once

#include "api/router.hpp"
#include "services/project_work.hpp"
#include "services/user_events.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct EventServices {
    services::WorkspacesService& workspaces;
    services::UserEvents& events;
};

void add_event_routes(Router& router, const EventServices& services);

// As a server-sent event; which ones there are stands in openapi.json.
std::string user_event_text(const services::UserEvent& event,
                            const services::WorkspaceContainerService& containers,
                            const services::ProjectWork& work);

}  // namespace agentdb9::api
