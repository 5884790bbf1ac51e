// Workspaces as rows: create, find, update, default, statistics. What changes containers is
// WorkspaceContainerService's. Control executor. Every call throws Error{kNotFound} for what is not the
// user's.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "model/entities.hpp"
#include "model/life_event.hpp"
#include "model/schedule.hpp"
#include "model/workspace_type.hpp"
#include "services/route_book.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct NewWorkspace {
    std::string type;
    std::optional<std::string> name;
    std::optional<std::string> description;
    bool is_default = false;
    std::optional<base::ProjectId> project_id;  // becomes its current project
    bool wake_on_request = false;
    std::optional<model::Actor> by;  // absent: the owner
    model::LimitsChange limits;      // to what its type has
};

struct WorkspaceChange {
    std::optional<std::string> name;
    std::optional<std::string> description;
    bool make_default = false;
    std::optional<model::WorkspaceStatus> status;  // active, inactive or archived
    std::optional<bool> wake_on_request;
    std::optional<std::optional<int>> idle_stop_minutes;     // nothing in it: as its type says
    std::optional<std::optional<model::Schedule>> schedule;  // nothing in it: none
    std::optional<model::Actor> by;                          // absent: the owner
    std::optional<model::LimitsChange> limits;
};

struct WorkspaceCounts {
    std::int64_t total = 0;
    std::map<std::string, std::int64_t> by_type;                         // those that occur
    std::array<std::int64_t, model::kWorkspaceStatusCount> by_status{};  // by enumerator
    std::optional<model::Workspace> default_workspace;
};

class WorkspacesService {
  public:
    WorkspacesService(base::Clock& clock, store::Store& store, RouteBook& routes,
                      const model::Catalogue& catalogue, model::Quota quota = {})
        : clock_(clock), store_(store), routes_(routes), catalogue_(catalogue), quota_(quota) {}

    // The first one becomes the default. kInvalid for an unknown type, an incompatible project, or limits
    // above what the type allows; kForbidden "quota_exceeded".
    Task<model::Workspace> create(base::UserId user, NewWorkspace wanted);
    Task<model::Workspace> find(base::UserId user, base::WorkspaceId id);
    Task<store::Listing<model::Workspace>> list(base::UserId user, store::Page page);
    Task<std::vector<model::Workspace>> list_of_type(base::UserId user, std::string type);
    // kConflict "workspace_running" for a status change of one that runs; kQuota "quota_exceeded" for more
    // than there is room for.
    Task<model::Workspace> update(base::UserId user, base::WorkspaceId id, WorkspaceChange change);
    Task<model::Workspace> set_default(base::UserId user, base::WorkspaceId id,
                                       std::optional<model::Actor> by = std::nullopt);
    Task<WorkspaceCounts> counts(base::UserId user);
    Task<store::Listing<model::Operation>> operations(base::UserId user, base::WorkspaceId id,
                                                      store::Page page);
    // What happened in its life, newest first.
    Task<store::Listing<model::LifeEvent>> history(base::UserId user, base::WorkspaceId id, store::Page page);

  private:
    static void hold_memory(const model::Workspace& before, model::Workspace& now,
                            const model::WorkspaceType& type);
    void change_limits(store::Transaction& tx, model::Workspace& workspace,
                       const model::LimitsChange& change) const;

    base::Clock& clock_;
    store::Store& store_;
    RouteBook& routes_;
    const model::Catalogue& catalogue_;
    model::Quota quota_;  // of each user, where the operator set none for that one
};

}  // namespace agentdb9::services
