#include "runtime/docker/objects.hpp"

#include <charconv>
#include <cmath>

namespace agentdb9::runtime::docker {

namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

model::InstanceState state_from(std::string_view text) {
    if (text == "running") return model::InstanceState::kRunning;
    if (text == "paused") return model::InstanceState::kPaused;
    if (text == "restarting") return model::InstanceState::kRestarting;
    if (text == "removing") return model::InstanceState::kRemoving;
    if (text == "dead") return model::InstanceState::kDead;
    if (text == "created") return model::InstanceState::kCreated;
    return model::InstanceState::kExited;
}

// The list has it only in the words for people: "Up 2 minutes (unhealthy)".
model::InstanceHealth health_from(std::string_view status) {
    if (status.ends_with("(healthy)")) return model::InstanceHealth::kHealthy;
    if (status.ends_with("(unhealthy)")) return model::InstanceHealth::kUnhealthy;
    if (status.ends_with("(health: starting)")) return model::InstanceHealth::kStarting;
    return model::InstanceHealth::kNone;
}

json::object labels_of(const model::InstanceSpec& spec, const base::InstallationId& installation) {
    return {{kManagedLabel, "true"},
            {kInstanceLabel, installation.view()},
            {kWorkspaceIdLabel, spec.workspace_id.view()},
            {"agentdb9.workspace.type", spec.workspace_type},
            {"agentdb9.user.id", spec.user_id.view()},
            {kProjectIdLabel, spec.project_id.view()},
            {"agentdb9.generation", std::to_string(spec.generation)},
            {"agentdb9.spec", model::spec_hash(spec)}};
}

json::object host_config(const model::InstanceSpec& spec, const CreateOptions& options) {
    json::array mounts;
    for (const auto& mount : spec.mounts) {
        mounts.push_back({{"Type", "volume"}, {"Source", mount.volume}, {"Target", mount.path}});
    }
    json::object config{
        {"NetworkMode", options.network},
        {"Init", true},
        {"RestartPolicy", {{"Name", "unless-stopped"}}},
        {"CapDrop", {"ALL"}},
        {"SecurityOpt", {"no-new-privileges"}},
        {"Privileged", false},
        {"Mounts", std::move(mounts)},
        {"LogConfig", {{"Type", "json-file"}, {"Config", {{"max-size", "10m"}, {"max-file", "3"}}}}},
    };
    for (auto& [name, value] : update_body(spec.limits))
        config[name] = std::move(value);
    if (spec.limits.shm_mb != model::kDefaultShmMb) config["ShmSize"] = spec.limits.shm_mb * kMiB;
    if (!spec.limits.ulimits.empty()) {
        json::array ulimits;
        for (const auto& [name, value] : spec.limits.ulimits)
            ulimits.push_back({{"Name", name}, {"Soft", value}, {"Hard", value}});
        config["Ulimits"] = std::move(ulimits);
    }
    if (options.publish) {
        json::array bindings{json::object{{"HostIp", options.publish_on}, {"HostPort", ""}}};
        config["PortBindings"] = json::object{{std::to_string(spec.port) + "/tcp", std::move(bindings)}};
    }
    return config;
}

template <class Id>
std::optional<Id> id_at(const json::object& object, std::string_view key) {
    return Id::parse(text_at(object, key));
}

std::optional<std::int64_t> integer_at(const json::object& object, std::string_view key) {
    const auto text = text_at(object, key);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::int64_t number(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return 0;
    if (value->is_int64()) return value->get_int64();
    if (value->is_uint64()) return static_cast<std::int64_t>(value->get_uint64());
    return 0;
}

void read_ports(const json::object& entry, const std::string& host, model::Instance& instance) {
    const auto* ports = entry.if_contains("Ports");
    if (ports == nullptr || !ports->is_array()) return;
    for (const auto& port : ports->get_array()) {
        if (!port.is_object()) continue;
        const auto inner = number(port.get_object(), "PrivatePort");
        const auto outer = number(port.get_object(), "PublicPort");
        if (inner > 0 && outer > 0)
            instance.published[static_cast<int>(inner)] = {host, static_cast<int>(outer)};
    }
}

const json::object* endpoint_on(const json::object& entry, const std::string& network) {
    const auto* settings = object_at(entry, "NetworkSettings");
    const auto* networks = settings != nullptr ? object_at(*settings, "Networks") : nullptr;
    return networks != nullptr ? object_at(*networks, network) : nullptr;
}

void read_address(const json::object& entry, const std::string& network, model::Instance& instance) {
    const auto* ours = endpoint_on(entry, network);
    if (ours == nullptr) return;
    const auto address = text_at(*ours, "IPAddress");
    if (!address.empty()) instance.address = address;
}

// The engine writes "/name"; "/other/alias" is a link that somebody else's container has to it.
std::string name_of(const json::object& entry) {
    const auto* names = entry.if_contains("Names");
    if (names == nullptr || !names->is_array()) return {};
    for (const auto& each : names->get_array()) {
        if (!each.is_string()) continue;
        const std::string_view name = each.get_string();
        if (name.rfind('/') == 0) return std::string(name.substr(1));
    }
    return {};
}

}  // namespace

std::string text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object* object_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr ? value->if_object() : nullptr;
}

json::object create_body(const model::InstanceSpec& spec, const CreateOptions& options) {
    json::array environment;
    for (const auto& [name, value] : spec.env)
        environment.push_back(json::string(name + "=" + value));
    json::object endpoint;
    if (options.address) endpoint["IPAMConfig"] = json::object{{"IPv4Address", *options.address}};
    json::object endpoints;
    endpoints[options.network] = std::move(endpoint);
    json::object exposed;
    exposed[std::to_string(spec.port) + "/tcp"] = json::object();
    json::object body{{"Image", spec.image},
                      {"Hostname", "workspace-" + spec.workspace_id.str().substr(0, 8)},
                      {"Env", std::move(environment)},
                      {"Labels", labels_of(spec, options.installation)},
                      {"ExposedPorts", std::move(exposed)},
                      {"StopTimeout", 10},
                      {"HostConfig", host_config(spec, options)}};
    body["NetworkingConfig"] = json::object{{"EndpointsConfig", std::move(endpoints)}};
    if (spec.command) {
        json::array command;
        for (const auto& argument : *spec.command)
            command.push_back(json::string(argument));
        body["Cmd"] = std::move(command);
    }
    return body;
}

// Swap as much as memory: none beside it.
json::object update_body(const model::ResourceLimits& limits) {
    return {{"PidsLimit", limits.pids},
            {"NanoCpus", static_cast<std::int64_t>(std::llround(limits.cpus * 1e9))},
            {"Memory", limits.memory_mb * kMiB},
            {"MemorySwap", limits.memory_mb * kMiB},
            {"MemoryReservation", limits.memory_reservation_mb * kMiB}};
}

std::optional<model::ResourceLimits> limits_from(const json::object& inspected) {
    const auto* config = object_at(inspected, "HostConfig");
    if (config == nullptr) return std::nullopt;
    model::ResourceLimits limits;
    limits.pids = number(*config, "PidsLimit");
    limits.cpus = static_cast<double>(number(*config, "NanoCpus")) / 1e9;
    limits.memory_mb = number(*config, "Memory") / kMiB;
    limits.memory_reservation_mb = number(*config, "MemoryReservation") / kMiB;
    limits.shm_mb = number(*config, "ShmSize") / kMiB;
    if (const auto* ulimits = config->if_contains("Ulimits"); ulimits != nullptr && ulimits->is_array()) {
        for (const auto& each : ulimits->get_array()) {
            if (each.is_object())
                limits.ulimits[text_at(each.get_object(), "Name")] = number(each.get_object(), "Soft");
        }
    }
    return limits;
}

std::optional<model::Instance> instance_from(const json::object& entry, const std::string& network,
                                             const std::string& published_host,
                                             std::optional<std::int64_t> generation) {
    const auto* labels = object_at(entry, "Labels");
    if (labels == nullptr) return std::nullopt;
    const auto workspace = id_at<base::WorkspaceId>(*labels, kWorkspaceIdLabel);
    if (const auto labelled = integer_at(*labels, "agentdb9.generation")) generation = labelled;
    if (!workspace || !generation) return std::nullopt;
    model::Instance instance{.id = text_at(entry, "Id"), .name = name_of(entry), .workspace_id = *workspace};
    if (instance.id.empty()) return std::nullopt;
    instance.user_id = id_at<base::UserId>(*labels, "agentdb9.user.id");
    instance.project_id = id_at<base::ProjectId>(*labels, kProjectIdLabel);
    instance.workspace_type = text_at(*labels, "agentdb9.workspace.type");
    instance.generation = *generation;
    instance.spec = text_at(*labels, "agentdb9.spec");
    instance.image = text_at(entry, "Image");
    instance.state = state_from(text_at(entry, "State"));
    instance.health = health_from(text_at(entry, "Status"));
    read_address(entry, network, instance);
    read_ports(entry, published_host, instance);
    if (const auto* mounts = entry.if_contains("Mounts"); mounts != nullptr && mounts->is_array()) {
        for (const auto& mount : mounts->get_array()) {
            if (!mount.is_object()) continue;
            auto name = text_at(mount.get_object(), "Name");
            if (!name.empty()) instance.volumes.push_back(std::move(name));  // else no volume
        }
    }
    instance.created_at = base::from_unix_ms(number(entry, "Created") * 1000);
    return instance;
}

std::optional<std::string> held_address(const json::object& entry, const std::string& network) {
    const auto* ours = endpoint_on(entry, network);
    if (ours == nullptr) return std::nullopt;
    auto address = text_at(*ours, "IPAddress");
    if (const auto* wanted = object_at(*ours, "IPAMConfig"); address.empty() && wanted != nullptr)
        address = text_at(*wanted, "IPv4Address");
    return address.empty() ? std::nullopt : std::optional(std::move(address));
}

json::object volume_body(const VolumeSpec& spec, const base::InstallationId& installation,
                         const std::string& driver, const std::map<std::string, std::string>& options) {
    json::object labels{{kManagedLabel, "true"},
                        {kInstanceLabel, installation.view()},
                        {"agentdb9.user.id", spec.user_id.view()}};
    if (spec.project_id) labels[kProjectIdLabel] = spec.project_id->view();
    if (spec.workspace_id) labels[kWorkspaceIdLabel] = spec.workspace_id->view();
    return {{"Name", spec.name},
            {"Driver", driver},
            {"DriverOpts", json::value_from(options)},
            {"Labels", std::move(labels)}};
}

Volume volume_from(const json::object& entry, const base::InstallationId& installation) {
    Volume volume{.name = text_at(entry, "Name"), .path = text_at(entry, "Mountpoint")};
    if (const auto* labels = object_at(entry, "Labels")) {
        volume.project_id = id_at<base::ProjectId>(*labels, kProjectIdLabel);
        volume.workspace_id = id_at<base::WorkspaceId>(*labels, kWorkspaceIdLabel);
        volume.user_id = id_at<base::UserId>(*labels, "agentdb9.user.id");
        volume.ours = text_at(*labels, kInstanceLabel) == installation.view();
    }
    volume.created_at = base::parse_time(text_at(entry, "CreatedAt"));
    return volume;
}

}  // namespace agentdb9::runtime::docker
