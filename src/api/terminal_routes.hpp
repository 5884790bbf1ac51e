// /api/workspaces/:id/terminal: a terminal over a WebSocket; /terminals: which there are; /terminal-ticket:
// how a browser, whose WebSockets send no Authorization, opens one.
#pragma once

#include "api/router.hpp"
#include "base/clock.hpp"
#include "services/terminal_service.hpp"
#include "services/tickets.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct TerminalServices {
    base::Clock& clock;
    services::WorkspacesService& workspaces;
    services::TerminalService& terminals;
    services::TicketService& tickets;
};

void add_terminal_routes(Router& router, const TerminalServices& services);

}  // namespace agentdb9::api
