// What a workspace's container uses. Control executor.
#pragma once

#include "runtime/monitoring.hpp"
#include "services/instance_finder.hpp"

namespace agentdb9::services {

class UsageService {
  public:
    UsageService(runtime::Monitoring& monitoring, const InstanceFinder& finder)
        : monitoring_(monitoring), finder_(finder) {}

    // Over the next two seconds or so. Throws kNotFound for what is not the user's, kConflict
    // "workspace_not_running", kUnavailable "runtime_unavailable", kTimeout "runtime_timeout".
    Task<runtime::Usage> now(base::UserId user, base::WorkspaceId workspace);

  private:
    runtime::Monitoring& monitoring_;
    const InstanceFinder& finder_;
};

}  // namespace agentdb9::services
