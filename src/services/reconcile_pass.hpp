// One look at one workspace: read what is wanted, observe, plan, and carry the actions out until they are
// done, one fails, or the user wants something else. Control executor.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "model/plan.hpp"
#include "runtime/runtime.hpp"
#include "services/admission_queue.hpp"
#include "services/journal.hpp"
#include "services/lease_keeper.hpp"
#include "services/route_book.hpp"
#include "services/specs.hpp"
#include "services/volume_claims.hpp"
#include "services/worker.hpp"

namespace agentdb9::services {

struct ReconcilerOptions {
    std::size_t parallel_starts = 4;
    std::chrono::days trash_time{7};
    std::chrono::seconds ready_limit{60};
    std::chrono::seconds stop_grace{10};
    std::chrono::seconds drain_limit{5};
    std::chrono::milliseconds follow_time{500};  // for other servers to hear of a commit
    std::chrono::seconds volume_wait{20};        // for another workspace to let go of a volume
    std::chrono::minutes pull_limit{30};
    std::chrono::seconds sweep_interval{30};
    int deaths_until_failed = 3;      // while it starts
    int timeouts_until_failed = 3;    // in a row, of one call after the other while the runtime answers
    int recoveries_until_failed = 5;  // in a row, of an instance that vanishes or dies
    std::chrono::milliseconds health_tick{1000};  // how often it is looked which application is to be asked
    std::size_t parallel_checks = 16;
    model::RestartRules restarts;
    model::CrashRules crashes;
};

// What a pass works with; all outlive it.
struct PassTools {
    base::Clock& clock;
    runtime::Runtime& runtime;
    const model::Catalogue& catalogue;
    Journal& journal;
    RouteBook& routes;
    AdmissionQueue& queue;
    base::Histogram& queue_waits;
    VolumeClaims& claims;
    const LeaseKeeper& leases;
    const ReconcilerOptions& options;
    std::function<void(const model::Operation&)> operation_ended;
    std::function<void(const base::WorkspaceId&)> changed;  // what is told of its progress, or of itself

    // Other servers on the same database follow what is done here, some moments later.
    bool shared() const { return leases.shared(); }
};

// Trying again would not help: it ends with the workspace stopped and in error.
bool is_final(const base::Error& error);
// It runs, but its application does not answer any more, or its image's check says so.
bool is_ill(const Worker& worker, const model::Instance& instance);

class Pass {
  public:
    enum class Result {
        kSettled,  // nothing is left to do
        kAgain,    // look again: something was done, or is wanted differently now
        kGone,     // the workspace does not exist any more
        kLease,    // what is left to do needs the workspace's lease
    };

    Pass(PassTools& tools, Worker& worker) : tools_(tools), worker_(worker) {}
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    // Throws Error when an action failed. job() then says for whom.
    Task<Result> run();
    const std::optional<Job>& job() const { return job_; }

  private:
    enum class Step { kDone, kAgain, kGone };

    // May this server change the runtime and the store for this workspace?
    bool leads() const { return !tools_.shared() || worker_.lease.has_value(); }
    Task<Result> follow(const std::vector<model::Action>& actions);
    Task<Step> attempt(const model::Action& action);
    Task<Step> hold(const model::Action& action);
    Task<> let_others_follow();
    Task<> observe();
    Task<> observe_limits();
    bool have_no_more_memory() const;
    Task<std::optional<model::ResourceLimits>> look_at_limits(std::string instance);
    Task<> update_limits(const model::Action& action);
    // The runtime was told of the limits that it is to have, and has what came of that.
    bool limits_told(const model::Instance& instance) const;
    Task<bool> is_frozen();
    // Records how instances ended by themselves. Throws "crash_loop" when that is too often.
    Task<> record_crashes();
    // What there is to be done about an unhealthy one: told, restarted (`observed` says so), or given up:
    // throws "application_unhealthy". False: look again.
    Task<bool> look_after_health(model::Observed& observed);
    // Is there anything of it that only who leads may do?
    bool needs_leader() const;
    // The one that is to serve, where it runs and nobody has asked for another.
    const model::Instance* at_work() const;
    bool heals_itself() const;
    bool is_well(const model::Instance& instance) const;
    model::Observed view() const;
    Task<Step> execute(const model::Action& action);
    Task<> ensure_volumes(const model::InstanceSpec& spec);
    Task<Step> create(const model::Action& action);
    Task<Step> start(const model::Action& action);
    Task<Step> probe(const model::Action& action);
    Task<VolumeClaims::Claim> claim_volumes(const model::InstanceSpec& spec);
    Task<bool> claim_from_other_servers(const model::InstanceSpec& spec);
    Task<bool> others_run_on(const model::InstanceSpec& spec);
    // Both are false when something else is wanted meanwhile.
    Task<bool> pull(const std::string& image);
    Task<bool> enter_queue();
    Task<> pull_in_time(std::string image);
    Task<> enter(AdmissionQueue::Visitor visitor);
    Task<> drain(const std::string& instance);
    Task<> stop(const std::string& instance);
    Task<> remove(const std::string& instance);
    Task<Step> complete();
    Task<Step> forget();
    [[noreturn]] static void throw_never_ready(std::chrono::seconds limit);
    // Did a stop that was given up have its effect now? It has only one.
    bool was_stopped_late();
    Task<base::Error> describe_death(const std::string& instance);
    void show(model::Phase phase, std::string step);
    // The runtime's id of the instance that an action is about.
    const std::string& instance_of(const model::Action& action) const;
    const model::Instance* find(const std::string& id) const;
    // Waits for `time`, or until something happens to this workspace.
    Task<> rest(std::chrono::milliseconds time);
    void check_spec(const model::InstanceSpec* spec) const;

    PassTools& tools_;
    Worker& worker_;
    std::optional<Job> job_;
    Wanted wanted_;
    std::vector<model::Instance> instances_;
    std::string created_;    // what kCreate of this pass made
    bool followed_ = false;  // other servers have had their time since this pass began
    AdmissionQueue::Place place_;
};

}  // namespace agentdb9::services
