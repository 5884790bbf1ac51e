// Asks applications that serve whether they still answer. What follows from it is the pass's affair
// (reconcile_health.cpp), and there only of who holds the workspace's lease.
#include <algorithm>

#include "base/log.hpp"
#include "services/reconciler.hpp"

namespace agentdb9::services {

using base::Error;

void Reconciler::on_death(const base::WorkspaceId& workspace, const std::string& instance,
                          const runtime::Death& death) {
    constexpr std::size_t kMost = 64;
    auto found = worker(workspace);
    found->unhealthy.erase(instance);
    if (!death.asked && found->crashes.size() < kMost)
        found->crashes.push_back({instance, death, clock_.now()});
}

Task<> Reconciler::watch_health() {
    for (;;) {
        co_await clock_.sleep_for(options_.health_tick);
        // Who does not reach the engine may not reach what runs on it either.
        if (!connected_) continue;
        for (const auto& id : routes_.routed()) {
            const auto instance = routes_.serving(id);
            if (!instance.empty()) look_after(worker(id), instance);
        }
        const auto now = clock_.steady_now();
        std::vector<base::WorkspaceId> due;
        for (const auto& [id, worker] : workers_) {
            if (!worker->restart_at || *worker->restart_at > now) continue;
            worker->restart_at.reset();
            due.push_back(id);
        }
        for (const auto& id : due)
            wake(id);
    }
}

void Reconciler::look_after(WorkerPtr worker, const std::string& instance) {
    const auto seen = std::ranges::find(worker->last_seen, instance, &model::Instance::id);
    if (seen == worker->last_seen.end() || seen->state != model::InstanceState::kRunning) return;
    const auto* type = tools_.catalogue.find(seen->workspace_type);
    if (type == nullptr || !type->health_check.enabled) return;
    auto& check = worker->check;
    const auto now = clock_.steady_now();
    if (check.instance != instance && !check.running)
        check = {
            .instance = instance, .failures = 0, .running = false, .due = now + type->health_check.interval};
    if (check.running || now < check.due || checks_ >= options_.parallel_checks) return;
    check.running = true;
    ++checks_;
    scope_.spawn("ask an application", this->check(std::move(worker), *seen, *type));
}

Task<> Reconciler::check(WorkerPtr worker, model::Instance instance, const model::WorkspaceType& type) {
    const std::shared_ptr<void> over(nullptr, [this, worker](void*) {
        --checks_;
        worker->check.running = false;
    });
    const auto endpoint = model::endpoint_of(instance, type.default_port);
    if (!endpoint) co_return;
    bool well = false;
    std::optional<Error> failure;
    try {
        well = co_await runtime_.probe(*endpoint, probe_path(worker->id, type), type.health_check.timeout) ==
               runtime::ProbeOutcome::kReady;
    } catch (const Error& error) {
        failure = error;
    }
    auto& check = worker->check;
    check.due = clock_.steady_now() + type.health_check.interval;
    if (failure) {
        log::debug("an application could not be asked",
                   {{"workspaceId", worker->id.view()}, {"reason", failure->what()}});
        co_return;
    }
    // Meanwhile it may have been stopped, paused for a backup, or replaced.
    const auto seen = std::ranges::find(worker->last_seen, instance.id, &model::Instance::id);
    const bool runs = seen != worker->last_seen.end() && seen->state == model::InstanceState::kRunning;
    if (!runs || routes_.serving(worker->id) != instance.id || !worker->ready.contains(instance.id)) {
        check.failures = 0;
        co_return;
    }
    if (well) {
        check.failures = 0;
        if (worker->unhealthy.erase(instance.id) == 0) co_return;
        worker->recovered = true;
        wake(worker->id);
    } else if (++check.failures >= type.health_check.retries &&
               worker->unhealthy.insert(instance.id).second) {
        log::warning("an application does not answer any more",
                     {{"workspaceId", worker->id.view()}, {"tries", check.failures}});
        wake(worker->id);
    }
}

}  // namespace agentdb9::services
