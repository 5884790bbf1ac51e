// What the journal's transactions share. Store's threads.
#pragma once

#include <optional>

#include "services/journal.hpp"

namespace agentdb9::services {

// The row as it is now, if what is asked for is still what `job` was read for.
std::optional<Job> reload_unchanged(store::Transaction& tx, const Job& job);
// The server's own operation, under way.
model::Operation insert_recovery(store::Transaction& tx, const base::WorkspaceId& workspace, model::Time now);

}  // namespace agentdb9::services
