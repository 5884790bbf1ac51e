#include "services/reconcile_pass.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::Action;
using model::ActionKind;
using model::DesiredState;
using model::OperationKind;
using model::Phase;

namespace {

bool brings_up(const std::vector<Action>& actions) {
    return std::ranges::any_of(actions, [](const Action& action) {
        return action.kind == ActionKind::kCreate || action.kind == ActionKind::kStart ||
               action.kind == ActionKind::kResume;
    });
}

}  // namespace

Task<Pass::Result> Pass::run() {
    worker_.dirty = false;
    worker_.desire_changed = false;
    worker_.forced = false;
    job_ = co_await tools_.journal.load(worker_.id);
    if (!job_) {
        co_await tools_.routes.remove(worker_.id);
        co_return Result::kGone;
    }
    job_->lease = worker_.lease;
    if (job_->workspace.desired_state != DesiredState::kRunning) worker_.ticket = 0;
    if (tools_.shared())
        co_await tools_.routes.upsert(job_->workspace);  // another server may have made or changed it
    wanted_ = make_wanted(*job_, tools_.catalogue);
    co_await observe();
    co_await observe_limits();
    if (co_await is_frozen()) co_return Result::kSettled;
    if (!leads()) {
        // Until a replacement takes over it is the leader's affair; what serves is followed all the while.
        auto followed = wanted_.desired;
        if (followed.current) followed.next.reset();
        const auto result = co_await follow(model::plan(followed, view()));
        co_return result == Result::kSettled&& needs_leader() ? Result::kLease : result;
    }
    co_await record_crashes();
    auto observed = view();
    if (!co_await look_after_health(observed)) co_return Result::kAgain;
    const auto actions = model::plan(wanted_.desired, observed);
    if (model::is_settled(actions) && !job_->operation) {
        co_await complete();  // writes only when the row says otherwise
        co_return Result::kSettled;
    }
    co_await tools_.journal.begin(*job_);
    if (!job_->operation && job_->workspace.desired_state == DesiredState::kRunning && brings_up(actions)) {
        auto recovering = co_await tools_.journal.begin_recovery(*job_);
        if (!recovering) co_return Result::kAgain;
        job_ = std::move(recovering);
    }
    for (const auto& action : actions) {
        if (worker_.desire_changed || !tools_.leases.may_act(worker_)) co_return Result::kAgain;
        switch (co_await attempt(action)) {
            case Step::kDone:
                break;
            case Step::kAgain:
                co_return Result::kAgain;
            case Step::kGone:
                co_return Result::kGone;
        }
    }
    co_return Result::kAgain;
}

// A backup has paused the instance for a moment. Whoever asks for something meanwhile does not wait for that.
Task<bool> Pass::is_frozen() {
    if (job_->operation || job_->workspace.desired_state != DesiredState::kRunning) co_return false;
    const bool paused = std::ranges::any_of(
        instances_, [](const model::Instance& each) { return each.state == model::InstanceState::kPaused; });
    co_return paused && job_->project&& co_await tools_.journal.is_frozen(job_->project->id);
}

// What a server does without the lease: its own routes follow what the runtime shows. While an operation is
// under way its leader brings the instance up; what it reached is told.
Task<Pass::Result> Pass::follow(const std::vector<Action>& actions) {
    const bool up = job_->workspace.desired_state == DesiredState::kRunning;
    if (up && job_->workspace.held) {
        co_await tools_.routes.hold(worker_.id);
        co_return Result::kLease;
    }
    bool settled = !job_->operation;
    for (const auto& action : actions) {
        if (worker_.desire_changed) co_return Result::kAgain;
        switch (action.kind) {
            case ActionKind::kStop:
            case ActionKind::kRemove:
            case ActionKind::kDrainAndRemove:
            case ActionKind::kRename:
                settled = false;  // the route does not wait for that
                continue;
            case ActionKind::kComplete:
                settled = settled && Journal::is_complete(*job_);
                continue;
            case ActionKind::kDropRoute:
            case ActionKind::kPublishRoute:
                break;
            case ActionKind::kProbe:
                // What is being replaced is up already; anything else its leader brings up.
                if (job_->operation && !job_->workspace.next_generation) co_return Result::kLease;
                // One that has not answered within its time is not asked for ever.
                if (needs_leader()) co_return Result::kLease;
                break;
            default:
                co_return Result::kLease;
        }
        if (co_await execute(action) != Step::kDone) co_return Result::kAgain;
    }
    co_return settled ? Result::kSettled : Result::kLease;
}

// The other servers hear of a commit within moments; requests that they sent before still reach the old
// instance.
Task<> Pass::let_others_follow() {
    if (!tools_.shared() || followed_) co_return;
    co_await tools_.clock.sleep_for(tools_.options.follow_time);
    followed_ = true;
}

Task<> Pass::observe() {
    instances_ = co_await tools_.runtime.instances(worker_.id);
    for (const auto& before : worker_.last_seen) {
        const auto* now = find(before.id);
        if (now != nullptr && before.health == model::InstanceHealth::kUnhealthy &&
            now->health == model::InstanceHealth::kHealthy)
            worker_.recovered = true;
    }
    // An instance that does not run has to prove itself again.
    std::erase_if(worker_.ready, [&](const std::string& id) {
        const auto* instance = find(id);
        return instance == nullptr || instance->state != model::InstanceState::kRunning;
    });
    worker_.last_seen = instances_;
}

model::Observed Pass::view() const {
    model::Observed observed;
    const auto serving = tools_.routes.serving(worker_.id);
    for (const auto& instance : instances_) {
        observed.instances.push_back({.instance = instance,
                                      .ready = worker_.ready.contains(instance.id),
                                      .serving = !serving.empty() && serving == instance.id,
                                      .limits_told = limits_told(instance)});
    }
    observed.routed = tools_.routes.routed(worker_.id);
    return observed;
}

// A runtime that has just answered, but never ends what is to be done here, is no outage, which would be
// waited for without an end.
Task<Pass::Step> Pass::attempt(const Action& action) {
    try {
        const auto step = co_await execute(action);
        worker_.timeouts = 0;
        co_return step;
    } catch (const Error& error) {
        if (error.word() != "runtime_timeout" || ++worker_.timeouts < tools_.options.timeouts_until_failed)
            throw;
        throw Error(
            ErrorCode::kUpstream, "runtime_hangs",
            "The container engine answers, but does not finish what this workspace needs. Look at its "
            "log and at the container on the server, then try again.")
            .with_internal(error.what());
    }
}

Task<Pass::Step> Pass::execute(const Action& action) {
    log::debug("action", {{"workspaceId", worker_.id.view()},
                          {"action", model::to_text(action.kind)},
                          {"instance", action.instance},
                          {"generation", action.generation}});
    switch (action.kind) {
        case ActionKind::kEnsureVolumes: {
            const auto* spec = wanted_.spec_of(action.generation);
            check_spec(spec);
            co_await ensure_volumes(*spec);
            break;
        }
        case ActionKind::kCreate:
            co_return co_await create(action);
        case ActionKind::kStart:
            co_return co_await start(action);
        case ActionKind::kResume:
            co_await tools_.runtime.resume_instance(instance_of(action));
            break;
        case ActionKind::kProbe:
            co_return co_await probe(action);
        case ActionKind::kHoldRoute:
            co_return co_await hold(action);
        case ActionKind::kDropRoute:
            co_await tools_.routes.stop(worker_.id);
            break;
        case ActionKind::kStop:
            co_await stop(instance_of(action));
            break;
        case ActionKind::kRename:
            co_await tools_.runtime.rename_instance(
                instance_of(action), action.plain ? wanted_.desired.plain_name
                                                  : model::instance_name(worker_.id, action.generation));
            break;
        case ActionKind::kCommitNext: {
            auto committed = co_await tools_.journal.commit_next(*job_);
            if (!committed) co_return Step::kAgain;
            job_ = std::move(committed);
            followed_ = false;
            break;
        }
        case ActionKind::kPublishRoute: {
            const auto* instance = find(instance_of(action));
            // It may have died since it answered.
            if (instance == nullptr || !worker_.ready.contains(instance->id)) co_return Step::kAgain;
            co_await tools_.routes.publish(worker_.id, *instance);
            break;
        }
        case ActionKind::kUpdateLimits:
            co_await update_limits(action);
            break;
        case ActionKind::kRemove:
            co_await remove(instance_of(action));
            break;
        case ActionKind::kDrainAndRemove:
            co_await let_others_follow();
            co_await drain(instance_of(action));
            if (worker_.desire_changed) co_return Step::kAgain;
            co_await tools_.runtime.stop_instance(instance_of(action), tools_.options.drain_limit);
            co_await remove(instance_of(action));
            break;
        case ActionKind::kComplete:
            co_return co_await complete();
        case ActionKind::kForgetWorkspace:
            co_return co_await forget();
    }
    co_return Step::kDone;
}

Task<Pass::Step> Pass::hold(const Action& action) {
    if (tools_.shared()) {
        auto held = co_await tools_.journal.hold(*job_);
        if (!held) co_return Step::kAgain;
        job_ = std::move(held);
        co_await let_others_follow();
    }
    co_await tools_.routes.hold(worker_.id);
    co_await drain(instance_of(action));
    co_return Step::kDone;
}

Task<Pass::Step> Pass::complete() {
    place_.release();
    auto operation = co_await tools_.journal.complete(*job_);
    worker_.phase.reset();
    worker_.step.clear();
    if (operation) {
        if (operation->kind != OperationKind::kRecover) worker_.failures = 0;
        tools_.operation_ended(*operation);
        job_->operation.reset();
    } else if (job_->operation) {
        co_return Step::kAgain;  // wanted differently by now
    }
    co_return Step::kDone;
}

Task<Pass::Step> Pass::forget() {
    auto operation = co_await tools_.journal.forget(*job_);
    if (!operation && job_->operation) co_return Step::kAgain;
    co_await tools_.routes.remove(worker_.id);
    if (operation) tools_.operation_ended(*operation);
    co_return Step::kGone;
}

void Pass::show(Phase phase, std::string step) {
    if (job_->operation && job_->operation->kind == OperationKind::kSwitch) phase = Phase::kSwitching;
    worker_.phase = phase;
    worker_.step = std::move(step);
    tools_.changed(worker_.id);
}

const std::string& Pass::instance_of(const Action& action) const {
    return action.instance.empty() ? created_ : action.instance;
}

const model::Instance* Pass::find(const std::string& id) const {
    auto found = std::ranges::find(instances_, id, &model::Instance::id);
    return found == instances_.end() ? nullptr : &*found;
}

Task<> Pass::rest(std::chrono::milliseconds time) {
    co_await base::with_timeout(tools_.clock, time, worker_.changed.wait());
}

void Pass::check_spec(const model::InstanceSpec* spec) const {
    if (spec == nullptr) {
        throw Error(ErrorCode::kInternal, "plan_without_spec",
                    "The server lost track of what to start; start it again.");
    }
}

}  // namespace agentdb9::services
