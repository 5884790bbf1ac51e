// Starts workspaces because their applications were asked for (`wakeOnRequest`). Which request may do so is
// the data plane's to decide; that the setting and the user allow it is looked at here again. Control
// executor.
#pragma once

#include "model/awakening.hpp"
#include "services/workspace_container_service.hpp"

namespace agentdb9::services {

class WakeService {
  public:
    // All references outlive this.
    WakeService(store::Store& store, const Reconciler& reconciler, WorkspaceContainerService& containers)
        : store_(store), reconciler_(reconciler), containers_(containers) {}

    // Starts it as start_workspace() does, without waiting: what is under way is joined. Throws what that
    // throws; kConflict "wake_not_allowed" where the setting is off; kUnavailable "workspace_stopping" while
    // it is being stopped, "runtime_unavailable" when the engine does not answer: then nothing is recorded.
    Task<model::Awakening> wake(base::UserId user, base::WorkspaceId workspace);

    // Changes nothing. Throws kNotFound for what is not the user's, kConflict for what is being deleted.
    Task<model::Awakening> look(base::UserId user, base::WorkspaceId workspace);

  private:
    store::Store& store_;
    const Reconciler& reconciler_;
    WorkspaceContainerService& containers_;
};

}  // namespace agentdb9::services
