// Containers and volumes of an earlier installation. One difference to our own: an adopted container may hold
// files in its own layer, so it is never removed, but stopped and put aside under another name.
#include <algorithm>

#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"

namespace agentdb9::runtime::docker {

namespace {

constexpr std::string_view kAsideMark = "-kept-";

bool unclaimed(const json::object& entry) {
    const auto* labels = object_at(entry, "Labels");
    return labels != nullptr && text_at(*labels, kInstanceLabel).empty();
}

json::array label_filter(std::string_view label) {
    return {json::string(std::string(kManagedLabel) + "=true"), json::string(label)};
}

}  // namespace

bool is_put_aside(const std::string& name) {
    return name.find(kAsideMark) != std::string::npos;
}

void DockerRuntime::set_adopted(Adopted adopted) {
    adopted_ = std::move(adopted);
}

Task<std::vector<json::object>> DockerRuntime::entries(std::string target, json::object filters) {
    const auto answer =
        co_await engine_.call("GET", target + "filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_failure(answer, "list");
    const auto parsed = answer.parsed();
    const auto* list = &parsed;
    if (const auto* object = parsed.if_object()) list = object->if_contains("Volumes");
    std::vector<json::object> found;
    if (list == nullptr || !list->is_array()) co_return found;
    for (const auto& each : list->get_array()) {
        if (each.is_object()) found.push_back(each.get_object());
    }
    co_return found;
}

Task<std::vector<model::Instance>> DockerRuntime::adopted_instances(
    std::optional<base::WorkspaceId> workspace) {
    std::vector<model::Instance> found;
    if (adopted_.instances.empty()) co_return found;
    json::array ids;
    for (const auto& [id, generation] : adopted_.instances)
        ids.push_back(json::string(id));
    for (const auto& entry : co_await entries("/containers/json?all=1&", {{"id", std::move(ids)}})) {
        const auto adopted = adopted_.instances.find(text_at(entry, "Id"));
        if (adopted == adopted_.instances.end() || !unclaimed(entry)) continue;
        auto instance = instance_from(entry, options_.network, published_host(), adopted->second);
        if (!instance || is_put_aside(instance->name) || (workspace && instance->workspace_id != *workspace))
            continue;
        instance->adopted = true;
        note(instance->id, held_address(entry, options_.network));
        found.push_back(std::move(*instance));
    }
    co_return found;
}

Task<Strays> DockerRuntime::strays() {
    Strays found;
    for (const auto& entry : co_await entries("/volumes?", {{"label", label_filter(kProjectIdLabel)}})) {
        auto volume = volume_from(entry, installation_);
        if (unclaimed(entry) && volume.project_id && !adopted_.volumes.contains(volume.name))
            found.volumes.push_back(std::move(volume));
    }
    for (const auto& entry :
         co_await entries("/containers/json?all=1&", {{"label", label_filter(kWorkspaceIdLabel)}})) {
        if (!unclaimed(entry) || adopted_.instances.contains(text_at(entry, "Id"))) continue;
        auto instance = instance_from(entry, options_.network, published_host(), 0);
        if (instance && !is_put_aside(instance->name)) found.instances.push_back(std::move(*instance));
    }
    co_return found;
}

Task<> DockerRuntime::join_network(std::string id) {
    if (!adopted_.instances.contains(id)) throw instance_not_found();
    co_await prepare();
    const auto answer = co_await engine_.call("GET", "/containers/" + percent_encode(id) + "/json");
    if (!answer.ok()) throw_instance_failure(answer, "inspect container");
    const auto parsed = answer.parsed();
    const auto* settings = parsed.is_object() ? object_at(parsed.get_object(), "NetworkSettings") : nullptr;
    const auto* networks = settings != nullptr ? object_at(*settings, "Networks") : nullptr;
    if (networks != nullptr && networks->contains(options_.network)) co_return;
    co_await attach_anew(std::move(id));
}

Task<> DockerRuntime::put_aside(std::string id) {
    co_await stop_instance(id, std::chrono::seconds(10));
    std::string name;
    for (const auto& instance : co_await adopted_instances(std::nullopt)) {
        if (instance.id == id) name = model::instance_name(instance.workspace_id);
    }
    if (name.empty()) co_return;  // done already, or gone
    name += std::string(kAsideMark) + id.substr(0, 12);
    co_await engine_.call("POST", "/networks/" + percent_encode(options_.network) + "/disconnect",
                          json::object{{"Container", id}, {"Force", true}});
    // Last: by this name it is known to be done.
    co_await rename_instance(id, name);
    log::info("a container of the earlier installation was put aside; remove it when nothing in it is needed",
              {{"container", name}});
    forget(id);
}

}  // namespace agentdb9::runtime::docker
