// The engine's statistics of a container (Engine API, "ContainerStats"), as cgroup v1 and v2 make it report
// them, in our words. Pure.
#pragma once

#include <optional>

#include "base/json.hpp"
#include "runtime/monitoring.hpp"

namespace agentdb9::runtime::docker {

// Absent when the container did not run when it was looked at, when what is there is none, and for the first
// of a stream, which cannot tell how busy the processor is.
std::optional<Usage> usage_from(const json::value& statistics);

// The same for one look without another before it.
std::optional<model::UseCounters> counters_from(const json::value& statistics);
// Its memory without what the kernel may drop at once; 0 for one that does not run.
std::uint64_t memory_in_use(const json::value& statistics);

// Did the container run when it was looked at? The engine goes on to send statistics of one that has ended.
bool is_running(const json::value& statistics);

}  // namespace agentdb9::runtime::docker
