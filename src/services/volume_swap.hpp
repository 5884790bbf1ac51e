// How a project gets another volume: in one transaction, with the old one in the trash. Runs inside a
// transaction.
#pragma once

#include <string>
#include <vector>

#include "store/transaction.hpp"

namespace agentdb9::services {

// The volume that takes over, and until when the old one is kept.
struct NewVolume {
    std::string name;
    std::string path;
    base::Time old_purge_after;
};

// Throws kConflict "project_in_use" while a workspace runs with the project. Returns the workspaces whose
// stopped instances still refer to the old volume: the reconciler has to look at them.
std::vector<base::WorkspaceId> swap_volume(store::Transaction& tx, model::Project project,
                                           const NewVolume& next, base::Time now);

}  // namespace agentdb9::services
