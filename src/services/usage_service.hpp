// What a workspace's container uses. Control executor.
#pragma once

#include "runtime/monitoring.hpp"
#include "services/admission_queue.hpp"
#include "services/instance_finder.hpp"

namespace agentdb9::services {

class UsageService {
  public:
    UsageService(asio::any_io_executor executor, base::Clock& clock, runtime::Monitoring& monitoring,
                 const InstanceFinder& finder);

    // Over the next two seconds or so. Throws kNotFound for what is not the user's, kConflict
    // "workspace_not_running", kUnavailable "runtime_unavailable", kTimeout "runtime_timeout".
    Task<runtime::Usage> now(base::UserId user, base::WorkspaceId workspace);

  private:
    Task<std::optional<runtime::Usage>> measure(std::string instance);

    base::Clock& clock_;
    runtime::Monitoring& monitoring_;
    const InstanceFinder& finder_;
    AdmissionQueue places_;  // each has a connection to the engine for two seconds
};

}  // namespace agentdb9::services
