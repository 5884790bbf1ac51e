#include "model/instance.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/json.hpp"

namespace agentdb9::model {

std::string spec_hash(const InstanceSpec& spec) {
    json::object text;
    text["format"] = 1;
    text["workspace"] = spec.workspace_id.view();
    text["project"] = spec.project_id.view();
    text["type"] = spec.workspace_type;
    text["image"] = spec.image;
    if (spec.command) text["command"] = json::value_from(*spec.command);
    text["env"] = json::value_from(spec.env);
    json::array mounts;
    for (const auto& mount : spec.mounts)
        mounts.push_back({{"volume", mount.volume}, {"path", mount.path}});
    text["mounts"] = std::move(mounts);
    const auto& limits = spec.type_limits;
    text["limits"] = {limits.cpus, limits.memory_mb, limits.memory_reservation_mb, limits.pids};
    // What came later is there only where it is used: the digests of older instances stay what they are.
    if (limits.shm_mb != kDefaultShmMb) text["shm"] = limits.shm_mb;
    if (!limits.ulimits.empty()) text["ulimits"] = json::value_from(limits.ulimits);
    text["port"] = spec.port;
    return base::sha256_hex(json::serialize(text)).substr(0, 32);
}

std::string instance_name(const base::WorkspaceId& workspace) {
    return "agentdb9-workspace-" + workspace.str();
}

std::string instance_name(const base::WorkspaceId& workspace, std::int64_t generation) {
    return instance_name(workspace) + "-g" + std::to_string(generation);
}

std::string project_volume_name(const base::ProjectId& project) {
    return "agentdb9-project-" + project.str();
}

std::string home_volume_name(const base::WorkspaceId& workspace) {
    return "agentdb9-workspace-" + workspace.str();
}

std::string_view to_text(InstanceState state) {
    switch (state) {
        case InstanceState::kCreated:
            return "created";
        case InstanceState::kRunning:
            return "running";
        case InstanceState::kPaused:
            return "paused";
        case InstanceState::kRestarting:
            return "restarting";
        case InstanceState::kExited:
            return "exited";
        case InstanceState::kRemoving:
            return "removing";
        case InstanceState::kDead:
            return "dead";
    }
    return "unknown";
}

bool holds_volumes(InstanceState state) {
    return state == InstanceState::kRunning || state == InstanceState::kPaused ||
           state == InstanceState::kRestarting;
}

std::optional<Endpoint> endpoint_of(const Instance& instance, int port) {
    if (auto published = instance.published.find(port); published != instance.published.end())
        return published->second;
    if (!instance.address) return std::nullopt;
    return Endpoint{*instance.address, port};
}

}  // namespace agentdb9::model
