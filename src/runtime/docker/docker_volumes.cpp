// Projects' files and homes: the engine's named volumes.
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"

namespace agentdb9::runtime::docker {

namespace {

base::Error not_ours(const std::string& name) {
    return base::conflict("volume_not_ours",
                          "A volume called '" + name +
                              "' exists on the engine but was made by another installation; it is left "
                              "alone. If it was an earlier AgentDB9 of this server, an operator can take it "
                              "over with 'agentdb9 adopt'.");
}

}  // namespace

Task<Volume> DockerRuntime::ensure_volume(VolumeSpec spec) {
    // The engine answers with the existing volume, its own labels unchanged, when there is one of that name:
    // asking first would be a call more, and still race with others.
    const auto body =
        volume_body(spec, installation_, options_.volume_driver, options_.volume_driver_options);
    const auto answer = co_await engine_.call("POST", "/volumes/create", body);
    std::optional<Volume> volume;
    if (answer.ok()) {
        const auto parsed = answer.parsed();
        if (parsed.is_object()) volume = known(volume_from(parsed.get_object(), installation_));
    } else {
        // It refuses when the existing one has another driver, which is no concern of ours.
        volume = co_await find_volume(spec.name);
    }
    if (!volume) throw_failure(answer, "create volume");
    if (!volume->ours) throw not_ours(spec.name);
    co_return std::move(*volume);
}

Task<std::optional<Volume>> DockerRuntime::find_volume(std::string name) {
    const auto found = co_await inspect_volume(std::move(name));
    if (!found) co_return std::nullopt;
    co_return known(volume_from(*found, installation_));
}

Volume DockerRuntime::known(Volume volume) const {
    volume.ours = volume.ours || adopted_.volumes.contains(volume.name);
    return volume;
}

Task<std::vector<Volume>> DockerRuntime::volumes() {
    // Adopted ones have no label of ours.
    const auto label = adopted_.volumes.empty() ? std::string(kInstanceLabel) + "=" + installation_.str()
                                                : std::string(kManagedLabel) + "=true";
    const json::object filters{{"label", json::array{json::string(label)}}};
    const auto answer =
        co_await engine_.call("GET", "/volumes?filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_failure(answer, "list volumes");
    const auto parsed = answer.parsed();
    std::vector<Volume> found;
    if (!parsed.is_object()) co_return found;
    const auto* list = parsed.get_object().if_contains("Volumes");
    if (list == nullptr || !list->is_array()) co_return found;
    for (const auto& entry : list->get_array()) {
        if (!entry.is_object()) continue;
        auto volume = known(volume_from(entry.get_object(), installation_));
        if (volume.ours) found.push_back(std::move(volume));
    }
    co_return found;
}

// Engine API, "SystemDataUsage". Before 1.42 it counts everything, whatever it is asked for.
Task<std::map<std::string, std::int64_t>> DockerRuntime::volume_sizes() {
    const auto answer = co_await engine_.call("GET", "/system/df?type=volume", {}, std::chrono::minutes(10));
    if (!answer.ok()) throw_failure(answer, "measure volumes");
    const auto parsed = answer.parsed();
    std::map<std::string, std::int64_t> sizes;
    const auto* list = parsed.is_object() ? parsed.get_object().if_contains("Volumes") : nullptr;
    if (list == nullptr || !list->is_array()) co_return sizes;
    for (const auto& entry : list->get_array()) {
        if (!entry.is_object()) continue;
        const auto volume = known(volume_from(entry.get_object(), installation_));
        const auto* usage = object_at(entry.get_object(), "UsageData");
        const auto* size = usage != nullptr ? usage->if_contains("Size") : nullptr;
        // -1 where its driver does not tell.
        if (volume.ours && size != nullptr && size->is_int64() && size->get_int64() >= 0)
            sizes.emplace(volume.name, size->get_int64());
    }
    co_return sizes;
}

Task<> DockerRuntime::remove_volume(std::string name) {
    const auto existing = co_await find_volume(name);
    if (!existing) co_return;
    if (!existing->ours) throw not_ours(name);
    const auto answer =
        co_await engine_.call("DELETE", "/volumes/" + percent_encode(name), {}, std::chrono::seconds(60));
    if (answer.ok() || answer.status == 404) co_return;
    if (answer.status == 409) {
        throw base::conflict(
            "volume_in_use",
            "The volume '" + name + "' is still mounted by a container; remove that one first.");
    }
    throw_failure(answer, "remove volume");
}

}  // namespace agentdb9::runtime::docker
