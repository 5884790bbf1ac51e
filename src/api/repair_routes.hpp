// What `agentdb9 doctor --repair` and `agentdb9 volumes recreate` ask for, behind the operator's socket:
//
//   POST /operator/repair                         ?dryRun=true: what differs, and what would be done
//   POST /operator/volumes/:name/recreate         an empty volume in the place of a project's lost one
#pragma once

#include <functional>

#include "api/router.hpp"
#include "services/repair.hpp"

namespace agentdb9::api {

// All outlive the router.
struct RepairServices {
    base::Clock& clock;
    store::Store& store;
    runtime::Runtime& runtime;
    services::DockerVolumeService& volumes;
    std::function<Task<>(model::Workspace)> changed;  // a workspace's row was mended
};

void add_repair_routes(Router& router, const RepairServices& services);

}  // namespace agentdb9::api
