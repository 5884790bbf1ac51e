// The line of workspaces that wait to be started, for /metrics. Control executor.
#pragma once

#include <vector>

#include "api/server_routes.hpp"
#include "services/admission_queue.hpp"
#include "services/wait_times.hpp"

namespace agentdb9::cli {

void add_start_queue_metrics(std::vector<api::Metric>& all, const services::AdmissionQueue& queue,
                             const services::WaitTimes& waits);

}  // namespace agentdb9::cli
