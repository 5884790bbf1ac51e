// The only code that changes the runtime: it moves what is observed towards what is desired. One worker a
// workspace, woken when its desired state changes, when the runtime reports an event, and by a slow timer.
// Control executor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "services/lease_keeper.hpp"
#include "services/reconcile_pass.hpp"
#include "services/reconciler_measures.hpp"

namespace agentdb9::services {

// How a request ended for the one who waits for it.
struct Outcome {
    std::optional<model::Operation> operation;  // as it ended; absent while it goes on
    std::optional<base::Error> error;           // why it failed, or why it cannot go on at present
};

class Reconciler final : public runtime::EventSink {
  public:
    // `server`: this server's name among those on the database; absent: there is no other.
    Reconciler(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
               runtime::Runtime& runtime, const model::Catalogue& catalogue, RouteBook& routes,
               ReconcilerOptions options, std::optional<std::string> server = std::nullopt);
    ~Reconciler() override;

    // Loads the routes and takes up all that is unsettled. Throws when the store does not answer.
    Task<> start();
    // Ends all work between two actions; what is open goes on at the next start.
    Task<> stop();
    bool started() const { return started_; }
    // Called whenever something of a workspace may have changed: what is wanted of it, its operation, how far
    // that is, its instance. Often, and sometimes for nothing; on the control executor. Set before start().
    void on_change(std::function<void(const base::WorkspaceId&)> listener) {
        listener_ = std::move(listener);
    }

    // The user wants something else of this workspace; `forced`: without waiting for what is under way.
    void desire_changed(const base::WorkspaceId& workspace, bool forced = false);
    // Another server has changed the workspace, or something of it.
    void changed_elsewhere(const base::WorkspaceId& workspace);
    // The database knows that this server is there, as of `time`; or it may not know it any more, and other
    // servers take over what this one leads.
    void present(base::SteadyTime time) { leases_.present(time); }
    void absent() { leases_.absent(); }
    // What other servers did is not known: all is looked at again.
    void look_again();
    // `operation` is no longer wanted; its waiters are told.
    void superseded(const model::Operation& operation);
    // Waits until the operation has ended, cannot go on at present, or `limit` is over.
    Task<Outcome> wait(model::Operation operation, std::chrono::milliseconds limit);

    struct Progress {
        model::Phase phase;
        std::string step;
        std::optional<int> percent;
        std::optional<model::QueuePlace> queue;
    };
    // What is being done for the workspace now; absent when nothing is.
    std::optional<Progress> progress(const base::WorkspaceId& workspace) const;
    // The instances of the last look; nothing for a workspace that has not been looked at.
    std::vector<model::Instance> last_seen(const base::WorkspaceId& workspace) const;
    bool is_ready(const base::WorkspaceId& workspace, const std::string& instance) const;
    // It runs, but its application does not answer any more, or its image's own check says so.
    bool is_unhealthy(const base::WorkspaceId& workspace, const model::Instance& instance) const;
    // Has the workspace looked at, and waits until nothing is left to do for it here. False when `limit` is
    // over before.
    Task<bool> look(base::WorkspaceId workspace, std::chrono::milliseconds limit);
    // Why the instance has not the limits that it is to have; empty when nothing went wrong.
    std::string limits_problem(const base::WorkspaceId& workspace, const std::string& instance) const;
    // The line of those who are to be started.
    const AdmissionQueue& queue() const { return queue_; }
    const ReconcilerMeasures& measures() const { return measures_; }
    ReconcilerCounts counts() const;
    // Other servers may lead what this one looks at.
    bool shared() const { return leases_.shared(); }
    // The engine's event stream stands.
    bool connected() const { return connected_; }

    void on_connected() override;
    void on_event(const base::WorkspaceId& workspace, const std::string& instance,
                  runtime::EventKind kind) override;
    void on_death(const base::WorkspaceId& workspace, const std::string& instance,
                  const runtime::Death& death) override;
    void on_disconnected() override;

  private:
    struct Waiter;
    // That a workspace is to have: the one that serves, and the one that is to replace it.
    struct Generations {
        std::int64_t current = 0;
        std::optional<std::int64_t> next;
    };
    using WorkerPtr = std::shared_ptr<Worker>;

    WorkerPtr worker(const base::WorkspaceId& workspace);
    void wake(const base::WorkspaceId& workspace);
    Task<> run(WorkerPtr worker);
    Task<Pass::Result> lead(Pass& pass, WorkerPtr worker);
    Task<Pass::Result> pass_or_lead(Pass& pass, WorkerPtr worker);
    Task<> tell_those_who_wait_for(base::WorkspaceId workspace);
    Task<> follow(base::WorkspaceId workspace);
    // How long to wait before the next try after `error`.
    Task<std::chrono::milliseconds> settle_failure(WorkerPtr worker, std::optional<Job> job,
                                                   base::Error error);
    Task<> look_at_everything();
    Task<> look_at_all_instances();
    Task<> look_for_the_untold();
    Task<> look_at_left_overs(std::unordered_map<base::WorkspaceId, Generations> wanted);
    Task<> sweep();
    // Asks the applications that serve, each as often as its type says.
    Task<> watch_health();
    void look_after(WorkerPtr worker, const std::string& instance);
    Task<> check(WorkerPtr worker, model::Instance instance, const model::WorkspaceType& type);
    void tell_waiters(const base::OperationId& operation, Outcome outcome);
    void tell_listener(const base::WorkspaceId& workspace) const;

    asio::any_io_executor executor_;
    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    RouteBook& routes_;
    ReconcilerOptions options_;
    Journal journal_;
    AdmissionQueue queue_;
    ReconcilerMeasures measures_;
    LeaseKeeper leases_;
    VolumeClaims claims_;
    PassTools tools_;
    std::function<void(const base::WorkspaceId&)> listener_;
    bool started_ = false;
    bool connected_ = false;
    bool was_connected_ = false;
    std::size_t checks_ = 0;  // that run
    std::unordered_map<base::WorkspaceId, WorkerPtr> workers_;
    std::unordered_map<base::OperationId, std::shared_ptr<Waiter>> waiters_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
