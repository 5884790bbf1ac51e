// What makes the reconciler look: the runtime's events, its coming back, and the sweep.
#include "base/log.hpp"
#include "services/reconciler.hpp"

namespace agentdb9::services {

using base::Error;

void Reconciler::on_connected() {
    connected_ = true;
    if (was_connected_) {
        // What happened in the gap is not reported: an instance may have died and its address may be
        // another's by now.
        for (auto& [id, worker] : workers_) {
            worker->ready.clear();
            worker->unhealthy.clear();
        }
        scope_.spawn("hold all routes", routes_.hold_all());
    }
    was_connected_ = true;
    scope_.spawn("look at everything", look_at_everything());
    scope_.spawn("look at all instances", look_at_all_instances());
}

void Reconciler::on_disconnected() {
    connected_ = false;
}

void Reconciler::on_event(const base::WorkspaceId& workspace, const std::string& instance,
                          runtime::EventKind kind) {
    if (kind == runtime::EventKind::kDied || kind == runtime::EventKind::kRemoved) {
        auto found = worker(workspace);
        found->ready.erase(instance);
        // Where another server leads, it is that one which stops it.
        const bool leads = !leases_.shared() || found->lease;
        if (kind == runtime::EventKind::kDied && leads) ++found->deaths[instance];
        // Its address may go to another at any moment: the route goes first.
        if (routes_.serving(workspace) == instance)
            scope_.spawn("hold a dead route", routes_.hold(workspace));
    }
    if (kind == runtime::EventKind::kStarted) worker(workspace)->unhealthy.erase(instance);
    wake(workspace);
    tell_listener(workspace);
}

Task<> Reconciler::look_at_everything() {
    std::vector<base::WorkspaceId> unsettled;
    try {
        unsettled = co_await store_.read([](store::Transaction& tx) { return tx.workspaces().unsettled(); });
    } catch (const Error& error) {
        log::warning("the store does not say what is unsettled", {{"reason", error.what()}});
    }
    for (const auto& workspace : unsettled)
        wake(workspace);
    // One that is at rest may have come to it while this server heard of nothing: it has a route here still.
    for (const auto& workspace : routes_.routed())
        wake(workspace);
}

// A workspace at rest may have left something behind: its operation ends before its left-overs are removed.
Task<> Reconciler::look_at_all_instances() {
    std::vector<model::Instance> instances;
    try {
        instances = co_await runtime_.instances();
    } catch (const Error& error) {
        log::warning("the runtime does not say what there is", {{"reason", error.what()}});
    }
    for (const auto& instance : instances)
        wake(instance.workspace_id);
}

// A request whose transaction was carried out, but not answered, has told nobody of it.
Task<> Reconciler::look_for_the_untold() {
    const auto as_of = routes_.changes();
    std::vector<model::Workspace> workspaces;
    try {
        workspaces = co_await store_.read([](store::Transaction& tx) { return tx.workspaces().all(); });
    } catch (const Error& error) {
        log::warning("the store does not say which workspaces there are", {{"reason", error.what()}});
        co_return;
    }
    std::unordered_map<base::WorkspaceId, Generations> wanted;
    for (const auto& each : workspaces)
        wanted.emplace(each.id, Generations{each.generation, each.next_generation});
    co_await routes_.refresh(std::move(workspaces), as_of);
    co_await look_at_left_overs(std::move(wanted));
}

// A workspace at rest has no open operation: that it was switched, or that its project was let go, shows in
// what is left of it alone. It would hold its volumes for ever.
Task<> Reconciler::look_at_left_overs(std::unordered_map<base::WorkspaceId, Generations> wanted) {
    if (!connected_) co_return;  // once it is, all instances are looked at
    std::vector<model::Instance> instances;
    try {
        instances = co_await runtime_.instances();
    } catch (const Error& error) {
        log::warning("the runtime does not say what there is", {{"reason", error.what()}});
    }
    for (const auto& instance : instances) {
        const auto found = wanted.find(instance.workspace_id);
        if (found == wanted.end()) continue;  // removed meanwhile, or made for what is newer than the read
        const auto& [current, next] = found->second;
        if (instance.generation != current && instance.generation != next) wake(instance.workspace_id);
    }
}

Task<> Reconciler::sweep() {
    for (;;) {
        co_await clock_.sleep_for(options_.sweep_interval);
        co_await look_at_everything();
        co_await look_for_the_untold();
    }
}

ReconcilerCounts Reconciler::counts() const {
    ReconcilerCounts counts;
    for (const auto& [id, worker] : workers_) {
        counts.working += worker->active ? 1 : 0;
        counts.failing += worker->failures > 0 ? 1 : 0;
        counts.unreachable += worker->outages > 0 ? 1 : 0;
        counts.leases += worker->lease ? 1 : 0;
    }
    return counts;
}

}  // namespace agentdb9::services
