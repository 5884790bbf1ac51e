// Starts and stops workspaces by their schedules. Only the last change counts where nobody was there to make
// it. Control executor.
#pragma once

#include <chrono>
#include <functional>

#include "services/workspace_container_service.hpp"

namespace agentdb9::services {

class ScheduleService {
  public:
    ScheduleService(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                    WorkspaceContainerService& containers, std::chrono::seconds check,
                    std::chrono::seconds warning = std::chrono::minutes(5))
        : clock_(clock),
          store_(store),
          containers_(containers),
          check_(check),
          warning_(warning),
          scope_(std::move(executor)) {}

    // What changes of a workspace is told, as Reconciler::on_change does.
    void on_change(std::function<void(const base::WorkspaceId&)> listener) {
        listener_ = std::move(listener);
    }

    void start();
    Task<> stop();

  private:
    Task<> run();
    Task<> round();
    Task<> make_change(model::Workspace workspace, model::Schedule schedule);
    // That it will be stopped, once for each stop, whichever server does it.
    Task<> warn(model::Workspace workspace, model::Schedule schedule);
    Task<bool> may_sign_in(base::UserId user);
    Task<> leave_out(base::WorkspaceId workspace, std::optional<base::Time> seen, std::string why);

    base::Clock& clock_;
    store::Store& store_;
    WorkspaceContainerService& containers_;
    std::chrono::seconds check_;
    std::chrono::seconds warning_;
    std::function<void(const base::WorkspaceId&)> listener_;
    base::Scope scope_;
};

// As it lies in the row; absent where there is none, or none that can be read.
std::optional<model::Schedule> schedule_of(const model::Workspace& workspace);

}  // namespace agentdb9::services
