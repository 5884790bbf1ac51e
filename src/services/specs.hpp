// From the catalogue's rows to what an instance is made of, and to what the plan is told. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "model/plan.hpp"
#include "services/journal.hpp"

namespace agentdb9::services {

// The path below which an application that keeps its prefix serves, on the applications' origin:
// "/{workspace}/{port}/".
std::string base_path(const base::WorkspaceId& workspace, int port);

// What `workspace` may use.
model::ResourceLimits limits_of(const model::Workspace& workspace, const model::WorkspaceType& type);

// What `workspace` runs as with `project` at `generation`.
model::InstanceSpec make_spec(const model::Workspace& workspace, const model::Project& project,
                              const model::WorkspaceType& type, std::int64_t generation);

// What the server asks for to see whether the application is ready; absent: a connection is enough.
std::optional<std::string> probe_path(const base::WorkspaceId& workspace, const model::WorkspaceType& type);

// The specs of what serves and of what is to take over, and the plan's view of them.
struct Wanted {
    model::Desired desired;
    std::optional<model::InstanceSpec> current;
    std::optional<model::InstanceSpec> next;
    const model::InstanceSpec* spec_of(std::int64_t generation) const;
};

// Throws Error when running is desired but cannot be described: kConflict "workspace_type_unknown" (no such
// type is configured any more) or "project_missing" (its current project is gone).
Wanted make_wanted(const Job& job, const model::Catalogue& catalogue);

}  // namespace agentdb9::services
