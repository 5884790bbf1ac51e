#include "services/reconciler.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;

struct Reconciler::Waiter {
    Waiter(const asio::any_io_executor& executor, const base::WorkspaceId& of)
        : workspace(of), signal(executor) {}
    base::WorkspaceId workspace;
    base::Signal signal;
    std::optional<Outcome> outcome;
};

namespace {

// How often a server asks for a lease that another one has.
constexpr std::chrono::milliseconds kOthersLease{300};
constexpr int kLooksAgain = 5;
// How long who waits for an operation that another server has ended waits for this one's routes, too.
constexpr std::chrono::seconds kFollowLimit{2};

// The runtime or the store does not answer: nothing is wrong with what was asked.
bool is_outage(const Error& error) {
    return error.code() == ErrorCode::kUnavailable || error.word() == "runtime_timeout";
}

std::chrono::milliseconds back_off(int failures, std::chrono::milliseconds first,
                                   std::chrono::milliseconds most) {
    return std::min(most, first * (1 << std::min(failures, 10)));
}

}  // namespace

Reconciler::Reconciler(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                       runtime::Runtime& runtime, const model::Catalogue& catalogue, RouteBook& routes,
                       ReconcilerOptions options, std::optional<std::string> server)
    : executor_(executor),
      clock_(clock),
      store_(store),
      runtime_(runtime),
      routes_(routes),
      options_(options),
      journal_(store, clock, options.trash_time),
      queue_(executor, options.parallel_starts),
      leases_(executor, store, clock, std::move(server)),
      tools_{clock,
             runtime,
             catalogue,
             journal_,
             routes,
             queue_,
             measures_.queue_waits,
             claims_,
             leases_,
             options_,
             [this](const model::Operation& operation) {
                 measures_.operations.ended(operation);
                 tell_waiters(operation.id, {operation, std::nullopt});
                 tell_listener(operation.workspace_id);
             },
             [this](const base::WorkspaceId& workspace) { tell_listener(workspace); }},
      scope_(executor) {
    queue_.on_moved([this](const std::string& name) {
        if (const auto workspace = base::WorkspaceId::parse(name)) tell_listener(*workspace);
    });
}

// What leaves the line from now on is told to nobody: who listens may be gone.
Reconciler::~Reconciler() {
    queue_.on_moved({});
}

Task<> Reconciler::start() {
    started_ = true;
    // Other servers may tell of what they make while it is read.
    for (bool loaded = false; !loaded;) {
        const auto as_of = routes_.changes();
        auto workspaces = co_await store_.read([](store::Transaction& tx) { return tx.workspaces().all(); });
        loaded = co_await routes_.load(std::move(workspaces), as_of);
    }
    scope_.spawn("follow the runtime's events", runtime_.watch(*this));
    scope_.spawn("sweep", sweep());
    scope_.spawn("watch applications", watch_health());
    co_await look_at_everything();
}

Task<> Reconciler::stop() {
    co_await scope_.close();
}

void Reconciler::desire_changed(const base::WorkspaceId& workspace, bool forced) {
    auto found = worker(workspace);
    found->desire_changed = true;
    if (!found->wished_at) found->wished_at = clock_.steady_now();
    found->forced = found->forced || forced;
    found->failures = 0;
    found->timeouts = 0;
    wake(workspace);
    tell_listener(workspace);
}

void Reconciler::changed_elsewhere(const base::WorkspaceId& workspace) {
    worker(workspace)->desire_changed = true;
    wake(workspace);
    tell_listener(workspace);
    scope_.spawn("tell those who wait", tell_those_who_wait_for(workspace));
}

void Reconciler::tell_listener(const base::WorkspaceId& workspace) const {
    if (listener_) listener_(workspace);
}

void Reconciler::look_again() {
    scope_.spawn("look at everything", look_at_everything());
    std::set<base::WorkspaceId> waited_for;
    for (const auto& [id, waiter] : waiters_)
        waited_for.insert(waiter->workspace);
    for (const auto& workspace : waited_for)
        scope_.spawn("tell those who wait", tell_those_who_wait_for(workspace));
}

// An operation that another server has ended.
Task<> Reconciler::tell_those_who_wait_for(base::WorkspaceId workspace) {
    std::vector<base::OperationId> ids;
    for (const auto& [id, waiter] : waiters_)
        if (waiter->workspace == workspace) ids.push_back(id);
    if (ids.empty()) co_return;
    const auto ended = co_await store_.read([ids](store::Transaction& tx) {
        std::vector<model::Operation> found;
        for (const auto& id : ids) {
            auto operation = tx.operations().find(id);
            if (operation && !model::is_open(operation->state)) found.push_back(std::move(*operation));
        }
        return found;
    });
    if (!ended.empty()) co_await follow(workspace);
    for (const auto& operation : ended)
        tell_waiters(operation.id, {operation, std::nullopt});
}

// What another server has done is served here, too, before anybody hears that it is done.
Task<> Reconciler::follow(base::WorkspaceId workspace) {
    if (leases_.shared()) co_await look(workspace, kFollowLimit);
}

Task<bool> Reconciler::look(base::WorkspaceId workspace, std::chrono::milliseconds limit) {
    const auto found = worker(workspace);
    const auto look = found->looks_begun + 1;
    wake(workspace);
    const auto deadline = clock_.steady_now() + limit;
    while (found->looks_ended < look && clock_.steady_now() < deadline) {
        const auto left = std::chrono::ceil<base::Duration>(deadline - clock_.steady_now());
        co_await base::with_timeout(clock_, left, found->looked.wait());
    }
    co_return found->looks_ended >= look;
}

void Reconciler::superseded(const model::Operation& operation) {
    measures_.operations.ended(operation);
    tell_waiters(operation.id,
                 {operation, base::conflict("operation_superseded",
                                            "A newer request for this workspace took the place of this "
                                            "one; see the workspace's operations.")});
}

Task<Outcome> Reconciler::wait(model::Operation operation, std::chrono::milliseconds limit) {
    auto& slot = waiters_[operation.id];
    if (!slot) slot = std::make_shared<Waiter>(executor_, operation.workspace_id);
    auto waiter = slot;
    // It may have ended between the transaction that made it and this call.
    auto now = co_await store_.read(
        [id = operation.id](store::Transaction& tx) { return tx.operations().find(id); });
    if (now && !model::is_open(now->state) && !waiter->outcome) {
        co_await follow(operation.workspace_id);
        tell_waiters(operation.id, {now, std::nullopt});
    }
    const auto deadline = clock_.steady_now() + limit;
    while (!waiter->outcome) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady_now());
        if (left.count() <= 0) co_return Outcome{};
        co_await base::with_timeout(clock_, left, waiter->signal.wait());
    }
    co_return *waiter->outcome;
}

void Reconciler::tell_waiters(const base::OperationId& operation, Outcome outcome) {
    auto found = waiters_.find(operation);
    if (found == waiters_.end()) return;
    auto waiter = found->second;
    waiters_.erase(found);
    waiter->outcome = std::move(outcome);
    waiter->signal.notify_all();
}

std::optional<Reconciler::Progress> Reconciler::progress(const base::WorkspaceId& workspace) const {
    auto found = workers_.find(workspace);
    if (found == workers_.end() || !found->second->phase) return std::nullopt;
    const auto& worker = *found->second;
    Progress progress{*worker.phase, worker.step, worker.percent, std::nullopt};
    if (const auto place = queue_.position(workspace.str())) {
        const auto limit = queue_.limit();
        progress.queue = {static_cast<std::int64_t>(place->position), static_cast<std::int64_t>(place->of),
                          "This server starts " + std::to_string(limit) +
                              (limit == 1 ? " workspace" : " workspaces") +
                              " at a time, and users take turns."};
    }
    return progress;
}

std::vector<model::Instance> Reconciler::last_seen(const base::WorkspaceId& workspace) const {
    auto found = workers_.find(workspace);
    return found == workers_.end() ? std::vector<model::Instance>() : found->second->last_seen;
}

bool Reconciler::is_ready(const base::WorkspaceId& workspace, const std::string& instance) const {
    auto found = workers_.find(workspace);
    return found != workers_.end() && found->second->ready.contains(instance);
}

bool Reconciler::is_unhealthy(const base::WorkspaceId& workspace, const model::Instance& instance) const {
    auto found = workers_.find(workspace);
    return found != workers_.end() && is_ill(*found->second, instance);
}

std::string Reconciler::limits_problem(const base::WorkspaceId& workspace,
                                       const std::string& instance) const {
    const auto found = workers_.find(workspace);
    if (found == workers_.end()) return {};
    const auto told = found->second->limits_told.find(instance);
    return told == found->second->limits_told.end() ? std::string() : told->second.problem;
}

Reconciler::WorkerPtr Reconciler::worker(const base::WorkspaceId& workspace) {
    auto& slot = workers_[workspace];
    if (!slot) slot = std::make_shared<Worker>(workspace, executor_);
    return slot;
}

void Reconciler::wake(const base::WorkspaceId& workspace) {
    auto found = worker(workspace);
    found->wake();
    if (found->active) return;
    found->active = true;
    scope_.spawn("reconcile", run(found));
}

Task<> Reconciler::run(WorkerPtr worker) {
    while (worker->dirty) {
        std::optional<Error> error;
        std::optional<Job> job;
        auto result = Pass::Result::kAgain;
        const auto look = ++worker->looks_begun;
        const auto began = clock_.steady_now();
        if (const auto wished = std::exchange(worker->wished_at, std::nullopt))
            measures_.lag.record(began - *wished);
        {
            Pass pass(tools_, *worker);
            try {
                result = co_await pass_or_lead(pass, worker);
            } catch (const Error& failure) {
                error = failure;
            } catch (...) {
                if (base::is_cancellation(std::current_exception())) throw;
                error = Error(ErrorCode::kInternal, "internal_error",
                              "Something went wrong inside the server; try again.")
                            .with_internal(log::describe(std::current_exception()));
            }
            job = pass.job();
        }
        measures_.pass_ended(error ? std::nullopt : std::optional(result), clock_.steady_now() - began);
        // While the next operation brings the workspace up, nothing is served yet.
        const bool awaits_leader =
            result == Pass::Result::kLease && job && job->operation && routes_.serving(worker->id).empty();
        if (!error && result != Pass::Result::kAgain && !awaits_leader) {
            worker->looks_ended = look;
            worker->looked.notify_all();
        }
        tell_listener(worker->id);
        if (error) {
            const auto pause = co_await settle_failure(worker, std::move(job), *error);
            worker->dirty = true;
            worker->phase.reset();
            // A new wish does not wait for the old one's back-off; events, which failures cause plenty of,
            // do.
            const auto until = clock_.steady_now() + pause;
            while (!worker->desire_changed && clock_.steady_now() < until) {
                const auto left =
                    std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.steady_now());
                co_await base::with_timeout(clock_, std::max(left, std::chrono::milliseconds(1)),
                                            worker->changed.wait());
                if (connected_ && is_outage(*error) && worker->dirty && left.count() <= 0) break;
            }
            continue;
        }
        worker->outages = 0;
        if (result == Pass::Result::kSettled) {
            worker->failures = 0;
            // What ends from now on does not end while it is started (record_crashes).
            worker->deaths.clear();
        }
        if (result == Pass::Result::kAgain) worker->dirty = true;
        if (result == Pass::Result::kLease) {
            // Another server has it: its commits are told, its end is not.
            co_await base::with_timeout(clock_, kOthersLease, worker->changed.wait());
            worker->dirty = true;
        }
        if (result == Pass::Result::kGone) {
            workers_.erase(worker->id);
            co_return;
        }
    }
    co_await leases_.release(*worker);
    worker->phase.reset();
    worker->active = false;
    tell_listener(worker->id);
    if (worker->dirty) wake(worker->id);
}

// First without the lease, which most looks do not need.
Task<Pass::Result> Reconciler::pass_or_lead(Pass& pass, WorkerPtr worker) {
    if (worker->lease) co_return co_await lead(pass, worker);
    const auto result = co_await pass.run();
    if (result != Pass::Result::kLease || !co_await leases_.take(*worker)) co_return result;
    co_return Pass::Result::kAgain;
}

// The lease is renewed meanwhile; when that fails, the work ends before another server can begin it.
Task<Pass::Result> Reconciler::lead(Pass& pass, WorkerPtr worker) {
    if (!co_await leases_.take(*worker)) co_return Pass::Result::kAgain;
    auto result = co_await base::until(pass.run(), leases_.until_lost(*worker));
    if (result) co_return *result;
    log::warning("a lease was lost, or may have been: its work is given up, and begun anew by whoever has it",
                 {{"workspaceId", worker->id.view()}});
    worker->lease.reset();
    co_await clock_.sleep_for(kGivenUp);
    co_return Pass::Result::kAgain;
}

Task<std::chrono::milliseconds> Reconciler::settle_failure(WorkerPtr worker, std::optional<Job> job,
                                                           Error error) {
    if (is_outage(error)) {
        const auto outages = worker->outages++;
        if (job && job->operation) tell_waiters(job->operation->id, {std::nullopt, error});
        if (!job) {
            // Nothing is known of the workspace, not even for whom it is wanted: everybody who waits is told.
            for (auto waiting = waiters_; auto& [id, waiter] : waiting)
                tell_waiters(id, {std::nullopt, error});
        }
        log::warning("reconciling waits", {{"workspaceId", worker->id.view()}, {"reason", error.what()}});
        // Another server may reach the engine.
        co_await leases_.release(*worker);
        co_return back_off(outages, std::chrono::milliseconds(200), std::chrono::seconds(3));
    }
    const auto failures = worker->failures++;
    // What has failed is recorded by whoever holds the lease.
    if (leases_.shared() && !worker->lease) {
        bool taken = false;
        try {
            taken = co_await leases_.take(*worker);
        } catch (const Error& outage) {
            log::debug("no lease", {{"workspaceId", worker->id.view()}, {"reason", outage.what()}});
        }
        if (taken) co_return std::chrono::milliseconds(0);
        co_return back_off(failures, std::chrono::milliseconds(500), std::chrono::seconds(10));
    }
    if (!job) {
        log::error("reconciling failed", {{"workspaceId", worker->id.view()}, {"reason", error.what()}});
        co_return std::chrono::seconds(5);
    }
    // It was seen a moment ago, or half made when the last server ended: another look tells what there is
    // now.
    if (error.word() == "instance_not_found" && failures < kLooksAgain) {
        log::info("an instance vanished while it was worked on",
                  {{"workspaceId", worker->id.view()}, {"reason", error.what()}});
        co_return back_off(failures, std::chrono::milliseconds(50), std::chrono::seconds(1));
    }
    const bool asked_for = job->operation && job->operation->kind != model::OperationKind::kRecover;
    const bool give_up = asked_for || is_final(error) || failures + 1 >= options_.recoveries_until_failed;
    log::warning("an operation failed",
                 {{"workspaceId", worker->id.view()},
                  {"operation", job->operation ? model::to_text(job->operation->kind) : "none"},
                  {"reason", error.what()},
                  {"givenUp", give_up}});
    std::optional<model::Operation> ended;
    std::optional<Error> outage;
    try {
        ended = co_await journal_.fail(*job, error, give_up);
    } catch (const Error& failure) {
        outage = failure;
    }
    if (outage) {
        log::warning("a failure could not be recorded",
                     {{"workspaceId", worker->id.view()}, {"reason", outage->what()}});
        co_return back_off(failures, std::chrono::milliseconds(200), std::chrono::seconds(3));
    }
    if (ended) {
        measures_.operations.ended(*ended);
        tell_waiters(ended->id, {ended, error});
    }
    const bool left_as_it_was = job->workspace.next_generation.has_value();
    const bool now_stopped = job->workspace.desired_state == model::DesiredState::kRunning && give_up;
    if (left_as_it_was || now_stopped) co_return std::chrono::milliseconds(0);
    co_return back_off(failures, std::chrono::seconds(1), std::chrono::seconds(30));
}

}  // namespace agentdb9::services
