// Starts workspaces because their applications were asked for (`wakeOnRequest`). Which request may do so is
// the data plane's to decide; that the setting and the user allow it is looked at here again. Control
// executor.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "model/awakening.hpp"
#include "services/workspace_container_service.hpp"

namespace agentdb9::services {

// How long requests start nothing by themselves after a start that failed: each would begin one more of what
// takes a minute and an image's pull, and fail again.
inline constexpr std::chrono::seconds kPauseAfterFailure{60};
// What is left of that, rounded up; absent: nothing. `latest`: the workspace's last operation.
std::optional<std::chrono::seconds> pause_left(const model::Workspace& workspace,
                                               const std::optional<model::Operation>& latest, base::Time now);

class WakeService {
  public:
    // All references outlive this.
    WakeService(store::Store& store, const base::Clock& clock, const Reconciler& reconciler,
                WorkspaceContainerService& containers)
        : store_(store), clock_(clock), reconciler_(reconciler), containers_(containers) {}

    // Starts it as start_workspace() does, without waiting: what is under way is joined. Unless somebody
    // `insists`, one that failed to start a moment ago is not started: kFailed, with the pause. Throws what
    // that throws; kConflict "wake_not_allowed" where the setting is off; kUnavailable "workspace_stopping"
    // while it is being stopped, "runtime_unavailable" when the engine does not answer: then nothing is
    // recorded.
    Task<model::Awakening> wake(base::UserId user, base::WorkspaceId workspace, bool insists);

    // Changes nothing. Throws kNotFound for what is not the user's, kConflict for what is being deleted.
    Task<model::Awakening> look(base::UserId user, base::WorkspaceId workspace);

  private:
    store::Store& store_;
    const base::Clock& clock_;
    const Reconciler& reconciler_;
    WorkspaceContainerService& containers_;
};

}  // namespace agentdb9::services
