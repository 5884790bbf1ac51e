// /api/workspaces/:id/…: what its container prints and uses, and how it is: logs, container-stats, health,
// and the first two as they come.
#pragma once

#include "api/router.hpp"
#include "base/clock.hpp"
#include "services/log_reader.hpp"
#include "services/monitoring_service.hpp"
#include "services/usage_service.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"

namespace agentdb9::api {

// All outlive the router.
struct MonitoringServices {
    base::Clock& clock;
    services::WorkspacesService& workspaces;
    services::WorkspaceContainerService& containers;
    services::LogReader& logs;
    services::UsageService& usage;
    services::MonitoringService& monitoring;
};

void add_monitoring_routes(Router& router, const MonitoringServices& services);

}  // namespace agentdb9::api
