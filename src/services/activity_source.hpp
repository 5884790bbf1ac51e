// What else may keep a workspace on than its traffic and its use of the machine: who runs something in
// workspaces on somebody's behalf registers one (IdleService::add_source). Control executor.
#pragma once

#include <optional>
#include <string_view>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace agentdb9::services {

class ActivitySource {
  public:
    virtual ~ActivitySource() = default;
    // A word that clients read, always the same: "execution".
    virtual std::string_view name() const = 0;
    // When something of it last went on in the workspace: now, while it does. Absent: never, as far as this
    // server knows. Called often; must not wait.
    virtual std::optional<base::Time> last_activity(const base::WorkspaceId& workspace) const = 0;
};

}  // namespace agentdb9::services
