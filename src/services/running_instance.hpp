// The container of a workspace in which something can be run now. Control executor.
#pragma once

#include <string>

#include "base/error.hpp"
#include "services/instance_finder.hpp"

namespace agentdb9::services {

// kConflict "workspace_not_running" and "workspace_paused".
base::Error nothing_runs();
base::Error paused();
// What a runtime's failure to run something in an instance means for its workspace.
base::Error as_workspaces(const base::Error& failure);
// Its id. Throws kNotFound for what is not the user's, kConflict "workspace_not_running" or
// "workspace_paused", kUnavailable, kTimeout.
Task<std::string> running_instance(const InstanceFinder& finder, base::UserId user,
                                   base::WorkspaceId workspace);
// Whether it has ended, or another serves in its place: what ran in it then ended with it. Looks for half a
// second, since a container that dies takes its processes first and is told of afterwards.
Task<bool> instance_is_gone(base::Clock& clock, const InstanceFinder& finder, base::WorkspaceId workspace,
                            std::string instance);

}  // namespace agentdb9::services
