// Whose objects lie on the engine: for an operator who has lost the database, and with it the installation's
// id.
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"

namespace agentdb9::runtime::docker {
namespace {

std::optional<base::InstallationId> installation_in(const json::value& entry) {
    const auto* labels = entry.is_object() ? object_at(entry.get_object(), "Labels") : nullptr;
    return labels != nullptr ? base::InstallationId::parse(text_at(*labels, kInstanceLabel)) : std::nullopt;
}

}  // namespace

Task<std::map<base::InstallationId, InstallationFacts>> DockerRuntime::installations() {
    const json::object filters{{"label", json::array{json::string(kInstanceLabel)}}};
    const auto text = percent_encode(json::serialize(filters));
    const auto volumes = co_await engine_.call("GET", "/volumes?filters=" + text);
    if (!volumes.ok()) throw_failure(volumes, "list volumes");
    const auto containers = co_await engine_.call("GET", "/containers/json?all=1&filters=" + text);
    if (!containers.ok()) throw_failure(containers, "list containers");
    std::map<base::InstallationId, InstallationFacts> found;
    const auto all_volumes = volumes.parsed();
    const auto* list = all_volumes.is_object() ? all_volumes.get_object().if_contains("Volumes") : nullptr;
    if (list != nullptr && list->is_array()) {
        for (const auto& entry : list->get_array()) {
            if (const auto id = installation_in(entry)) ++found[*id].volumes;
        }
    }
    const auto all_containers = containers.parsed();
    if (all_containers.is_array()) {
        for (const auto& entry : all_containers.get_array()) {
            if (const auto id = installation_in(entry)) ++found[*id].containers;
        }
    }
    co_return found;
}

}  // namespace agentdb9::runtime::docker
