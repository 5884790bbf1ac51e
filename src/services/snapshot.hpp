// A deleted row as JSON and back, kept with its tombstone so that a restore brings it back whole. Pure; any
// thread.
#pragma once

#include <optional>

#include "model/entities.hpp"

namespace agentdb9::services {

json::object snapshot_of(const model::Project& project);
json::object snapshot_of(const model::Workspace& workspace);

// Absent when the snapshot lacks what a row needs.
std::optional<model::Project> project_from(const json::object& snapshot);
// Stopped, unassigned, not the default: only what the user made of it comes back.
std::optional<model::Workspace> workspace_from(const json::object& snapshot);

}  // namespace agentdb9::services
