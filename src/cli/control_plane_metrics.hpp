// The control plane's numbers in Prometheus' words: the API, the store, the engine, the reconciler and what
// runs. Control executor.
#pragma once

#include "cli/core.hpp"
#include "cli/metric_list.hpp"

namespace agentdb9::cli {

// None of them has a label of a workspace, a user or an address: how many lines there are is bounded by the
// program.
void add_control_plane_metrics(MetricList& list, const Core& core);

// Those of one part.
void add_api_metrics(MetricList& list, const api::CallMeasures& calls);
void add_store_metrics(MetricList& list, const store::Store& store);
void add_engine_metrics(MetricList& list, const runtime::docker::EngineCalls& calls, bool connected);
void add_operation_metrics(MetricList& list, const services::OperationMeasures& workspaces,
                           const services::OperationMeasures& projects);
void add_reconciler_metrics(MetricList& list, const services::ReconcilerMeasures& measures,
                            const services::ReconcilerCounts& counts);

}  // namespace agentdb9::cli
