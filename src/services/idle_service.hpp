// Stops workspaces that nobody uses, and says why one is on still, or was stopped. What this server's data
// plane, the engine and others (ActivitySource) know of their use is looked at by a slow timer, and noted in
// the database for the other servers; only workspaces that have an idle time cost anything. Control executor.
#pragma once

#include <chrono>
#include <map>
#include <unordered_map>
#include <vector>

#include "model/idle.hpp"
#include "runtime/monitoring.hpp"
#include "services/activity_source.hpp"
#include "services/workspace_container_service.hpp"

namespace agentdb9::services {

struct IdleOptions {
    std::chrono::seconds check{60};
    std::chrono::seconds warning{300};
    model::UseThresholds thresholds;
    model::IdleBounds bounds;
    std::chrono::seconds longest_keep_alive{86400};
};

struct ActivityReport {
    model::Workspace workspace;
    std::chrono::seconds idle_time{0};       // zero: never
    std::vector<model::ActivityMark> marks;  // the latest first
    model::IdleVerdict verdict;              // kStaysOn where it does not run
    std::optional<model::LifeEvent> last_stop;
};

class IdleService {
  public:
    IdleService(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                const model::Catalogue& catalogue, RouteBook& routes, runtime::Monitoring& monitoring,
                WorkspaceContainerService& containers, IdleOptions options);

    // Outlives this. Before start().
    void add_source(const ActivitySource& source) { sources_.push_back(&source); }
    // What changes of a workspace is told, as Reconciler::on_change does.
    void on_change(std::function<void(const base::WorkspaceId&)> listener) {
        listener_ = std::move(listener);
    }
    void start();
    Task<> stop();

    // Throws kInvalid, field "idleStopMinutes", for what the operator does not allow.
    void check_minutes(int minutes) const;
    const IdleOptions& options() const { return options_; }

    // Not before `time` is over; 0 ends such a lease. A longer one that is there stays. Throws kNotFound for
    // what is not the user's, kConflict "workspace_not_running".
    Task<model::Workspace> keep_alive(base::UserId user, base::WorkspaceId workspace,
                                      std::chrono::seconds time, std::optional<model::Actor> by);
    // Throws kNotFound.
    Task<ActivityReport> activity(base::UserId user, base::WorkspaceId workspace);

  private:
    struct Seen {
        std::string instance;
        std::optional<model::UseCounters> counters;
        bool measured = false;                      // since this server knows it
        std::map<std::string, base::Time> marks;    // of this server
        std::map<std::string, base::Time> written;  // of these, to the database
    };
    Task<> run();
    Task<> round();
    Task<> look_at(model::Workspace workspace);
    // True once its use since an earlier time is known, as far as the engine tells of it.
    Task<bool> measure(Seen& seen);
    void gather(const base::WorkspaceId& workspace, Seen& seen) const;
    Task<> write_down(base::WorkspaceId workspace, Seen& seen);
    Task<> warn(base::WorkspaceId workspace);
    Task<> stop_idle(model::Workspace workspace, base::Time last);
    model::IdleRules rules_of(const model::Workspace& workspace) const;
    model::IdleVerdict judge(store::Transaction& tx, const model::Workspace& workspace, base::Time now) const;

    base::Clock& clock_;
    store::Store& store_;
    const model::Catalogue& catalogue_;
    RouteBook& routes_;
    runtime::Monitoring& monitoring_;
    WorkspaceContainerService& containers_;
    IdleOptions options_;
    std::vector<const ActivitySource*> sources_;
    std::function<void(const base::WorkspaceId&)> listener_;
    std::unordered_map<base::WorkspaceId, Seen> seen_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
