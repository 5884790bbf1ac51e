// The data plane's numbers in Prometheus' words. Pure; any thread.
#pragma once

#include "cli/metric_list.hpp"
#include "proxy/metrics.hpp"

namespace agentdb9::cli {

// None of them has a label of a workspace, a user or an address: how many lines there are is known
// beforehand.
void add_data_plane_metrics(MetricList& list, const proxy::Metrics& metrics);

}  // namespace agentdb9::cli
