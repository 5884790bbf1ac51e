// The data plane's numbers in Prometheus' words. Pure; any thread.
#pragma once

#include <vector>

#include "api/server_routes.hpp"
#include "proxy/metrics.hpp"

namespace agentdb9::cli {

// None of them has a label of a workspace, a user or an address: how many lines there are is known
// beforehand.
std::vector<api::Metric> data_plane_metrics(const proxy::Metrics& metrics);

}  // namespace agentdb9::cli
