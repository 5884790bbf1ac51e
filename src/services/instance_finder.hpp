// Which instance a workspace means now, to those who look at it. Control executor.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "model/entities.hpp"
#include "runtime/runtime.hpp"
#include "services/route_book.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class InstanceFinder {
  public:
    InstanceFinder(base::Clock& clock, store::Store& store, runtime::Runtime& runtime,
                   const RouteBook& routes)
        : clock_(clock), store_(store), runtime_(runtime), routes_(routes) {}

    // The one that serves; else the one that is to, in any state; else any that is left. Absent: there is
    // none. Throws kNotFound for a workspace that is gone or, with `user`, another's; kUnavailable and
    // kTimeout where the engine or the database does not answer.
    Task<std::optional<model::Instance>> current(base::WorkspaceId workspace,
                                                 std::optional<base::UserId> user = std::nullopt) const;
    // All there are, as the engine lists them.
    Task<std::vector<model::Instance>> all(base::WorkspaceId workspace) const;
    // Requests reach it now; empty when none does. Asks nobody.
    std::string serving(const base::WorkspaceId& workspace) const { return routes_.serving(workspace); }
    // False: it was deleted. Asks nobody.
    bool is_there(const base::WorkspaceId& workspace) const { return routes_.knows(workspace); }

  private:
    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    const RouteBook& routes_;
};

}  // namespace agentdb9::services
