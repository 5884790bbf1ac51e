// What the process uses, under the names that Prometheus' client libraries give it; from /proc. Linux.
#pragma once

#include "cli/metric_list.hpp"

namespace agentdb9::cli {

void add_process_metrics(MetricList& list);

}  // namespace agentdb9::cli
