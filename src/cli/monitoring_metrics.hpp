// Who watches what, for /metrics.
#pragma once

#include <vector>

#include "api/server_routes.hpp"
#include "services/monitoring_service.hpp"

namespace agentdb9::cli {

void add_monitoring_metrics(std::vector<api::Metric>& all, const services::MonitoringCounts& counts,
                            std::int64_t event_watchers);

}  // namespace agentdb9::cli
