#include "services/recreation.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {

Task<runtime::Volume> recreate_project_volume(store::Store& store, runtime::Runtime& runtime,
                                              base::Clock& clock, std::string name) {
    const auto project = co_await store.read([name](store::Transaction& tx) -> std::optional<model::Project> {
        const auto all = tx.projects().all();
        const auto found = std::ranges::find(all, std::optional(name), &model::Project::volume_name);
        if (found == all.end()) return std::nullopt;
        return *found;
    });
    if (!project) {
        throw base::Error(
            base::ErrorCode::kNotFound, "volume_not_found",
            "No project has a volume called '" + name + "'; 'agentdb9 volumes list --all' shows them.");
    }
    if (co_await runtime.find_volume(name)) {
        throw base::conflict("volume_exists",
                             "The volume '" + name + "' is on the engine; there is nothing to make anew.");
    }
    log::warning("a lost volume is made anew, empty", {{"volume", name}, {"projectId", project->id.view()}});
    const auto volume = co_await runtime.ensure_volume(
        {.name = name, .project_id = project->id, .workspace_id = {}, .user_id = project->user_id});
    const auto now = clock.now();
    co_await store.write([id = project->id, volume, now](store::Transaction& tx) {
        auto row = tx.projects().find(id);
        if (!row || row->volume_path == volume.path) return;
        row->volume_path = volume.path;
        row->updated_at = now;
        tx.projects().update(*row);
    });
    co_return volume;
}

}  // namespace agentdb9::services
