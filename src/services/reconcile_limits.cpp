// What instances may use: looked at, and changed while they run. None of it may harm one that runs.
#include <algorithm>

#include "base/log.hpp"
#include "services/reconcile_pass.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;

namespace {

// How soon an engine that refused limits is told of them again.
constexpr std::chrono::minutes kAgain{1};

}  // namespace

// The list of instances does not tell. What is stopped is given its limits when it is wanted again, also
// those that it could not have while it ran.
Task<> Pass::observe_limits() {
    if (job_->workspace.desired_state != model::DesiredState::kRunning) co_return;
    for (auto& instance : instances_) {
        if (instance.adopted || wanted_.spec_of(instance.generation) == nullptr) continue;
        if (!model::holds_volumes(instance.state)) worker_.limits_told.erase(instance.id);
        instance.limits = co_await look_at_limits(instance.id);
    }
    worker_.last_seen = instances_;
    if (!job_->workspace.memory_held_mb || !have_no_more_memory()) co_return;
    co_await tools_.journal.release_memory(*job_);
    job_->workspace.memory_held_mb.reset();
}

bool Pass::have_no_more_memory() const {
    return !instances_.empty() && std::ranges::all_of(instances_, [this](const model::Instance& each) {
        const auto* spec = wanted_.spec_of(each.generation);
        return !model::holds_volumes(each.state) ||
               (spec != nullptr && each.limits && each.limits->memory_mb <= spec->limits.memory_mb);
    });
}

// What is not known is not compared: no reason to fail.
Task<std::optional<model::ResourceLimits>> Pass::look_at_limits(std::string instance) {
    std::optional<model::ResourceLimits> found;
    try {
        found = co_await tools_.runtime.instance_limits(std::move(instance));
    } catch (const Error& error) {
        if (error.code() == ErrorCode::kUnavailable) throw;
        log::debug("the engine does not say what an instance may use",
                   {{"workspaceId", worker_.id.view()}, {"reason", error.what()}});
    }
    co_return found;
}

bool Pass::limits_told(const model::Instance& instance) const {
    const auto told = worker_.limits_told.find(instance.id);
    const auto* spec = wanted_.spec_of(instance.generation);
    return told != worker_.limits_told.end() && spec != nullptr && told->second.wanted == spec->limits &&
           told->second.came == instance.limits &&
           (!told->second.again_at || tools_.clock.steady_now() < *told->second.again_at);
}

// An engine that refuses, or does not end this, must not end the workspace: it goes on with what it has, and
// is told again in a while, or when something else is wanted, or found.
Task<> Pass::update_limits(const model::Action& action) {
    const auto* spec = wanted_.spec_of(action.generation);
    check_spec(spec);
    const auto id = instance_of(action);
    Worker::LimitsTold told{.wanted = spec->limits, .came = {}, .problem = {}, .again_at = {}};
    try {
        const auto update = co_await tools_.runtime.update_limits(id, spec->limits);
        if (update.memory_in_use_bytes) {
            told.problem = "It uses " + std::to_string(*update.memory_in_use_bytes / (1024 * 1024)) +
                           " MB of memory now and would be ended with " +
                           std::to_string(spec->limits.memory_mb) +
                           " MB: it gets these when it is started next. Restart it, or choose more.";
        }
    } catch (const Error& error) {
        if (error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kNotFound) throw;
        told.problem =
            "The container engine did not take the limits while it runs: it gets them when it is "
            "started next.";
        told.again_at = tools_.clock.steady_now() + kAgain;
        log::warning("limits are not taken", {{"workspaceId", worker_.id.view()}, {"reason", error.what()}});
    }
    told.came = co_await look_at_limits(id);
    worker_.limits_told.insert_or_assign(id, std::move(told));
    tools_.changed(worker_.id);
}

}  // namespace agentdb9::services
