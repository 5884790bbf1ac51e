// What embodies a workspace at one generation: how it is to be made (InstanceSpec) and how the runtime
// reports it (Instance). Plain data in the workspaces' words; safe on any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/health.hpp"
#include "model/workspace_type.hpp"

namespace agentdb9::model {

struct Endpoint {
    std::string host;  // an IP address in text form
    int port = 0;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct Mount {
    std::string volume;
    std::string path;
    friend bool operator==(const Mount&, const Mount&) = default;
};

struct InstanceSpec {
    base::WorkspaceId workspace_id;
    base::UserId user_id;
    base::ProjectId project_id;
    std::string workspace_type;
    std::int64_t generation = 0;
    std::string image;
    std::optional<std::vector<std::string>> command;  // arguments after the image's own entrypoint
    std::map<std::string, std::string> env;
    std::vector<Mount> mounts;
    ResourceLimits limits;       // in force for this workspace
    ResourceLimits type_limits;  // its type's, without what its user set
    int port = 0;                // the application's
};

// A digest of all that an instance is made from, except the generation: two equal ones need no new instance.
// A user's own limits are no part of it: these can be changed later, and are compared by themselves.
std::string spec_hash(const InstanceSpec& spec);

// "agentdb9-workspace-{id}", the name of the instance that serves.
std::string instance_name(const base::WorkspaceId& workspace);
// "agentdb9-workspace-{id}-g{generation}", the name of one that comes or goes.
std::string instance_name(const base::WorkspaceId& workspace, std::int64_t generation);
std::string project_volume_name(const base::ProjectId& project);
std::string home_volume_name(const base::WorkspaceId& workspace);

enum class InstanceState { kCreated, kRunning, kPaused, kRestarting, kExited, kRemoving, kDead };
std::string_view to_text(InstanceState state);

struct Instance {
    std::string id;  // the runtime's
    std::string name;
    base::WorkspaceId workspace_id;
    std::optional<base::UserId> user_id;
    std::optional<base::ProjectId> project_id;
    std::string workspace_type;
    std::int64_t generation = 0;
    std::string spec;  // spec_hash() of what it was made from
    std::string image;
    InstanceState state = InstanceState::kCreated;
    InstanceHealth health = InstanceHealth::kNone;
    std::optional<std::string> address;  // on the workspaces' network, while it runs
    std::map<int, Endpoint> published;   // container port → endpoint, where ports are published
    std::vector<std::string> volumes;    // names of what it mounts
    std::optional<base::Time> created_at;
    std::optional<ResourceLimits> limits;  // that it has; absent where nobody looked
    // Made by an earlier installation, of a spec that nobody knows.
    bool adopted = false;
};

// Runs, or may run again without being told: it holds its volumes.
bool holds_volumes(InstanceState state);

// Where `port` of the instance is reached, if it can be.
std::optional<Endpoint> endpoint_of(const Instance& instance, int port);

}  // namespace agentdb9::model
