// From specs to the engine's objects and back. Pure; any thread. Field names: Engine API v1.41,
// ContainerCreate and ContainerList.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "model/instance.hpp"
#include "runtime/runtime.hpp"

namespace agentdb9::runtime::docker {

inline constexpr std::string_view kManagedLabel = "agentdb9.managed";
inline constexpr std::string_view kInstanceLabel = "agentdb9.instance";
inline constexpr std::string_view kWorkspaceIdLabel = "agentdb9.workspace.id";
inline constexpr std::string_view kProjectIdLabel = "agentdb9.project.id";
// What the server makes on the engine for a moment: containers that are never started, and volumes of its
// own.
inline constexpr std::string_view kHelperLabel = "agentdb9.helper";
// On helpers: the process that made it, by a name that no other has.
inline constexpr std::string_view kHelperProcessLabel = "agentdb9.helper.process";

struct CreateOptions {
    base::InstallationId installation;
    std::string network;
    std::optional<std::string> address;  // chosen by us; absent: the engine chooses
    bool publish = false;                // on a port that the engine chooses
    std::string publish_on;              // the host address for it
};

// A hardened container: no capability, no new privilege, bounded, volumes only.
json::object create_body(const model::InstanceSpec& spec, const CreateOptions& options);

// The limits that a container can be given after it was made (ContainerUpdate).
json::object update_body(const model::ResourceLimits& limits);

// Of ContainerInspect; absent where it says nothing of them.
std::optional<model::ResourceLimits> limits_from(const json::object& inspected);

// One entry of ContainerList. Absent when it is not ours or its labels are damaged. `published_host`: where
// published ports are reached from here. `generation`: of one that has no label for it.
std::optional<model::Instance> instance_from(const json::object& entry, const std::string& network,
                                             const std::string& published_host,
                                             std::optional<std::int64_t> generation = std::nullopt);

// The address that a container of ContainerList has or, while it does not run, is to have. Absent where the
// engine will choose.
std::optional<std::string> held_address(const json::object& entry, const std::string& network);

json::object volume_body(const VolumeSpec& spec, const base::InstallationId& installation,
                         const std::string& driver, const std::map<std::string, std::string>& options);
Volume volume_from(const json::object& entry, const base::InstallationId& installation);

// Reading the engine's JSON: empty or absent for what is not there.
std::string text_at(const json::object& object, std::string_view key);
const json::object* object_at(const json::object& object, std::string_view key);

}  // namespace agentdb9::runtime::docker
