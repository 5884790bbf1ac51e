#include "services/volume_swap.hpp"

#include "services/access.hpp"
#include "services/snapshot.hpp"

namespace agentdb9::services {

std::vector<base::WorkspaceId> swap_volume(store::Transaction& tx, model::Project project,
                                           const NewVolume& next, base::Time now) {
    require_project_free(tx, project.id, std::nullopt);
    if (project.volume_name) {
        model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = project.user_id};
        tombstone.kind = model::VolumeKind::kReplaced;
        tombstone.volume_name = *project.volume_name;
        tombstone.owner_id = project.id.str();
        tombstone.owner_name = project.name;
        tombstone.snapshot = snapshot_of(project);
        tombstone.deleted_at = now;
        tombstone.purge_after = next.old_purge_after;
        tx.tombstones().insert(tombstone);
    }
    project.volume_name = next.name;
    project.volume_path = next.path;
    project.updated_at = now;
    tx.projects().update(project);
    std::vector<base::WorkspaceId> touched;
    for (auto& workspace : tx.workspaces().using_project(project.id)) {
        if (workspace.desired_state != model::DesiredState::kStopped) continue;
        // What it left stopped is of an earlier generation now, and goes.
        workspace.generation = ++workspace.last_generation;
        workspace.updated_at = now;
        tx.workspaces().update(workspace);
        touched.push_back(workspace.id);
    }
    return touched;
}

}  // namespace agentdb9::services
