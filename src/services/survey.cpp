#include "services/survey.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {
namespace {

struct Catalogued {
    std::map<base::UserId, std::string> emails;
    std::vector<model::Project> projects;
    std::vector<model::Workspace> workspaces;
    std::vector<model::Tombstone> trash;
};

struct OnEngine {
    std::vector<runtime::Volume> volumes;
    std::vector<model::Instance> instances;
};

Catalogued read_catalogue(store::Transaction& tx) {
    Catalogued all;
    for (const auto& user : tx.users().all())
        all.emails.emplace(user.id, user.email);
    all.projects = tx.projects().all();
    all.workspaces = tx.workspaces().all();
    all.trash = tx.tombstones().open(std::nullopt);
    return all;
}

Task<std::optional<OnEngine>> look_at_engine(runtime::Runtime& runtime) {
    try {
        OnEngine found;
        found.volumes = co_await runtime.volumes();
        found.instances = co_await runtime.instances();
        co_return found;
    } catch (const base::Error& error) {
        log::debug("the engine tells nothing of its volumes", {{"reason", error.what()}});
        co_return std::nullopt;
    }
}

std::vector<SurveyedVolume> known_volumes(const Catalogued& all) {
    std::vector<SurveyedVolume> volumes;
    const auto add = [&](std::string name, model::VolumeKind kind, const std::string& owner,
                         const base::UserId& user) -> SurveyedVolume& {
        auto& added = volumes.emplace_back();
        added.name = std::move(name);
        added.kind = kind;
        added.owner_name = owner;
        added.user_id = user;
        return added;
    };
    for (const auto& each : all.projects) {
        if (each.volume_name) add(*each.volume_name, model::VolumeKind::kProject, each.name, each.user_id);
    }
    for (const auto& each : all.workspaces) {
        if (each.volume_name) add(*each.volume_name, model::VolumeKind::kHome, each.name, each.user_id);
    }
    for (const auto& each : all.trash) {
        auto& added = add(each.volume_name, each.kind, each.owner_name, each.user_id);
        added.state = SurveyedVolume::State::kInTrash;
        added.tombstone = each;
    }
    return volumes;
}

// A volume is made a moment before its row says so: its owner's id counts, too.
bool has_owner(const Catalogued& all, const runtime::Volume& volume) {
    return std::ranges::any_of(all.projects,
                               [&](const auto& each) { return volume.project_id == each.id; }) ||
           std::ranges::any_of(all.workspaces,
                               [&](const auto& each) { return volume.workspace_id == each.id; });
}

void lay_beside(Survey& result, const Catalogued& all, OnEngine found) {
    std::map<std::string, const runtime::Volume*> on_engine;
    for (const auto& each : found.volumes)
        on_engine.emplace(each.name, &each);
    for (auto& each : result.volumes)
        each.on_engine = on_engine.erase(each.name) > 0;
    for (const auto& [name, volume] : on_engine) {
        if (has_owner(all, *volume)) continue;
        auto& added = result.volumes.emplace_back();
        added.name = name;
        added.state = SurveyedVolume::State::kUnknown;
        added.kind = volume->project_id ? model::VolumeKind::kProject : model::VolumeKind::kHome;
        added.user_id = volume->user_id;
        added.on_engine = true;
    }
    std::set<base::WorkspaceId> workspaces;
    for (const auto& each : all.workspaces)
        workspaces.insert(each.id);
    for (auto& each : found.instances) {
        if (!workspaces.contains(each.workspace_id)) result.unknown_instances.push_back(std::move(each));
    }
}

}  // namespace

std::string_view to_text(SurveyedVolume::State state) {
    switch (state) {
        case SurveyedVolume::State::kInUse:
            return "in use";
        case SurveyedVolume::State::kInTrash:
            return "in trash";
        case SurveyedVolume::State::kUnknown:
            return "unknown";
    }
    return "";
}

Task<Survey> survey(store::Store& store, runtime::Runtime& runtime) {
    // The engine first: what is made meanwhile is in the database by the time that is read.
    auto found = co_await look_at_engine(runtime);
    const auto all = co_await store.read([](store::Transaction& tx) { return read_catalogue(tx); });
    Survey result{
        .engine_answers = found.has_value(), .volumes = known_volumes(all), .unknown_instances = {}};
    if (found) lay_beside(result, all, std::move(*found));
    for (auto& each : result.volumes) {
        const auto user = each.user_id ? all.emails.find(*each.user_id) : all.emails.end();
        if (user != all.emails.end()) each.user_email = user->second;
    }
    std::ranges::sort(result.volumes, {}, [](const SurveyedVolume& each) {
        return std::tuple(each.state != SurveyedVolume::State::kInTrash, each.user_email, each.name);
    });
    co_return result;
}

}  // namespace agentdb9::services
