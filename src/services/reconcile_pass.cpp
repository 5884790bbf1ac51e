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

// Ends when the user will not wait any longer. The worker outlives the pass that asks.
Task<> forced(Worker& worker) {
    while (!worker.forced)
        co_await worker.changed.wait();
}

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
    if (tools_.shared())
        co_await tools_.routes.upsert(job_->workspace);  // another server may have made or changed it
    wanted_ = make_wanted(*job_, tools_.catalogue);
    co_await observe();
    if (co_await is_frozen()) co_return Result::kSettled;
    if (!leads()) {
        // Until a replacement takes over it is the leader's affair; what serves is followed all the while.
        auto followed = wanted_.desired;
        if (followed.current) followed.next.reset();
        co_return co_await follow(model::plan(followed, view()));
    }
    const auto actions = model::plan(wanted_.desired, view());
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
                                      .serving = !serving.empty() && serving == instance.id});
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
            co_await create(action);
            break;
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

Task<> Pass::ensure_volumes(const model::InstanceSpec& spec) {
    const auto& project =
        wanted_.next && spec.generation == wanted_.next->generation ? job_->next_project : job_->project;
    const auto& project_volume = spec.mounts.front().volume;
    if (project && project->volume_name) {
        // It has been made before: an empty one in its place would look like lost files.
        if (!co_await tools_.runtime.find_volume(project_volume)) {
            throw base::conflict(
                "volume_missing",
                "The volume '" + project_volume + "' of the project '" + project->name +
                    "' is gone from the engine. Restore it from a backup, or switch the "
                    "workspace to another project; where there is no backup, the server's "
                    "operator can begin anew with an empty one ('agentdb9 volumes recreate " +
                    project_volume + "').");
        }
    } else {
        const auto volume = co_await tools_.runtime.ensure_volume({.name = project_volume,
                                                                   .project_id = spec.project_id,
                                                                   .workspace_id = {},
                                                                   .user_id = spec.user_id});
        co_await tools_.journal.record_project_volume(spec.project_id, volume.name, volume.path);
    }
    if (spec.mounts.size() > 1) {
        const auto& home = spec.mounts[1].volume;
        if (job_->workspace.volume_name && !co_await tools_.runtime.find_volume(home)) {
            log::warning("a home volume was gone and is made anew",
                         {{"workspaceId", worker_.id.view()}, {"volume", home}});
        }
        // Recorded first: what is made here goes into the trash with the workspace, whatever happens in
        // between.
        co_await tools_.journal.record_home_volume(spec.workspace_id, home);
        co_await tools_.runtime.ensure_volume(
            {.name = home, .project_id = {}, .workspace_id = spec.workspace_id, .user_id = spec.user_id});
    }
}

Task<> Pass::create(const Action& action) {
    const auto* spec = wanted_.spec_of(action.generation);
    check_spec(spec);
    if (tools_.routes.serving(worker_.id).empty()) co_await tools_.routes.hold(worker_.id);
    if (!co_await tools_.runtime.has_image(spec->image)) {
        show(Phase::kPulling, "pulling");
        const bool pulled = co_await base::with_timeout(
            tools_.clock, tools_.options.pull_limit,
            tools_.runtime.ensure_image(spec->image,
                                        [worker = &worker_](const runtime::PullProgress& progress) {
                                            worker->percent = progress.percent;
                                        }));
        worker_.percent.reset();
        if (!pulled) {
            throw Error(ErrorCode::kConflict, "image_unavailable",
                        "The image '" + spec->image +
                            "' could not be pulled in time; pull it on the server and start again.");
        }
    }
    co_await enter_queue();
    show(Phase::kCreating, "creating");
    const auto name =
        action.plain ? wanted_.desired.plain_name : model::instance_name(worker_.id, action.generation);
    created_ = co_await tools_.runtime.create_instance(*spec, name);
    worker_.deaths.erase(created_);
    worker_.ready.erase(created_);
}

Task<> Pass::enter_queue() {
    if (place_) co_return;
    show(Phase::kQueued, "queued");
    place_ = co_await tools_.queue.enter();
}

Task<Pass::Step> Pass::start(const Action& action) {
    const auto* spec = wanted_.spec_of(action.generation);
    check_spec(spec);
    if (tools_.routes.serving(worker_.id).empty()) co_await tools_.routes.hold(worker_.id);
    const auto claim = co_await claim_volumes(*spec);
    if (!claim || worker_.desire_changed) co_return Step::kAgain;
    show(Phase::kStarting, "starting");
    const auto id = instance_of(action);
    worker_.deaths.erase(id);
    worker_.ready.erase(id);
    co_await tools_.runtime.start_instance(id);
    place_.release();
    co_await observe();
    co_return Step::kDone;
}

// Two instances never run on the same volume, also not those of two workspaces. Empty when something else is
// wanted meanwhile. Who waits for a volume does not keep others from starting.
Task<VolumeClaims::Claim> Pass::claim_volumes(const model::InstanceSpec& spec) {
    const auto deadline = tools_.clock.steady_now() + tools_.options.volume_wait;
    for (;;) {
        co_await enter_queue();
        if (auto claim = tools_.claims.take(spec.mounts)) {
            if (!co_await others_run_on(spec) && co_await claim_from_other_servers(spec)) co_return claim;
        }
        if (worker_.desire_changed) co_return VolumeClaims::Claim();
        if (tools_.clock.steady_now() >= deadline) {
            throw base::conflict(
                "project_in_use",
                "The project's files are still in use by another workspace; stop that one, or wait until it "
                "has stopped, and try again.");
        }
        place_.release();
        show(Phase::kQueued, "waiting for the project's volume");
        co_await rest(std::chrono::milliseconds(100));
    }
}

// What another server is just starting is not to be seen on the engine yet: its claim lies in the database.
// What it has started since the last look is.
Task<bool> Pass::claim_from_other_servers(const model::InstanceSpec& spec) {
    if (!tools_.shared()) co_return true;
    co_return co_await tools_.journal.claim_volumes(*job_, spec.mounts) && !co_await others_run_on(spec);
}

Task<bool> Pass::others_run_on(const model::InstanceSpec& spec) {
    for (const auto& mount : spec.mounts) {
        for (const auto& other : co_await tools_.runtime.instances_on_volume(mount.volume)) {
            if (other.workspace_id != spec.workspace_id && model::holds_volumes(other.state)) co_return true;
        }
    }
    co_return false;
}

Task<Pass::Step> Pass::probe(const Action& action) {
    const auto id = instance_of(action);
    const auto* type = tools_.catalogue.find(job_->workspace.type);
    if (type == nullptr) co_return Step::kAgain;
    show(Phase::kProbing, "waiting for the application");
    const auto path = probe_path(worker_.id, *type);
    const auto deadline = tools_.clock.steady_now() + tools_.options.ready_limit;
    auto next_look = tools_.clock.steady_now() + std::chrono::seconds(1);
    auto pause = std::chrono::milliseconds(20);
    for (;;) {
        if (worker_.desire_changed) co_return Step::kAgain;
        const auto* instance = find(id);
        const bool live = instance != nullptr && model::holds_volumes(instance->state);
        if (!live && was_stopped_late()) co_return Step::kAgain;
        if (!live || worker_.deaths[id] >= tools_.options.deaths_until_failed)
            throw co_await describe_death(id);
        const auto endpoint = model::endpoint_of(*instance, type->default_port);
        if (endpoint && instance->state == model::InstanceState::kRunning) {
            if (co_await tools_.runtime.probe(*endpoint, path) == runtime::ProbeOutcome::kReady) {
                worker_.ready.insert(id);
                co_return Step::kDone;
            }
        }
        if (tools_.clock.steady_now() >= deadline) throw_never_ready(tools_.options.ready_limit);
        co_await rest(pause);
        pause = std::min(pause * 3 / 2, std::chrono::milliseconds(200));
        // Events may be lost, and an address comes only once it runs: look again now and then.
        if (tools_.clock.steady_now() >= next_look || !endpoint || worker_.dirty) {
            worker_.dirty = false;
            next_look = tools_.clock.steady_now() + std::chrono::seconds(1);
            co_await observe();
        }
    }
}

void Pass::throw_never_ready(std::chrono::seconds limit) {
    throw Error(
        ErrorCode::kTimeout, "application_not_ready",
        "The application did not answer within " + std::to_string(limit.count()) +
            " seconds. Start it again; if that does not help, look at the container's log on the server.");
}

bool Pass::was_stopped_late() {
    constexpr std::chrono::seconds kLatest(30);  // beyond the grace of the stop itself
    const auto given_up = std::exchange(worker_.stop_given_up, std::nullopt);
    return given_up && tools_.clock.steady_now() - *given_up < tools_.options.stop_grace + kLatest;
}

Task<Error> Pass::describe_death(const std::string& instance) {
    std::string sentence = "The application ended while it was being started.";
    std::string output = co_await tools_.runtime.last_output(instance, 5);
    while (!output.empty() && (output.back() == '\n' || output.back() == '\r'))
        output.pop_back();
    if (!output.empty()) {
        sentence += " Its last words: " + output.substr(output.size() > 500 ? output.size() - 500 : 0);
    } else {
        sentence += " It said nothing; check the workspace type's image and command.";
    }
    co_return Error(ErrorCode::kUpstream, "application_ended", std::move(sentence));
}

// Lets the instance finish the requests that it is answering.
Task<> Pass::drain(const std::string& instance) {
    const auto use = tools_.routes.use_of(instance);
    if (!use) co_return;
    const auto deadline = tools_.clock.steady_now() + tools_.options.drain_limit;
    while (use->requests_in_flight.load() > 0 && tools_.clock.steady_now() < deadline &&
           !worker_.desire_changed) {
        co_await tools_.clock.sleep_for(std::chrono::milliseconds(2));
    }
}

Task<> Pass::stop(const std::string& instance) {
    if (job_->workspace.desired_state != DesiredState::kRunning) {
        show(job_->workspace.desired_state == DesiredState::kDeleted ? Phase::kDeleting : Phase::kStopping,
             "stopping");
    }
    const bool force = job_->operation && job_->operation->force;
    // A left-over of a switch that others may not have heard of yet.
    if (job_->workspace.desired_state == DesiredState::kRunning) co_await let_others_follow();
    // Who asks with force does not wait for an earlier, polite stop: the next pass ends it.
    const bool stopped = co_await base::run_unless(
        forced(worker_),
        tools_.runtime.stop_instance(instance, force ? std::chrono::seconds(0) : tools_.options.stop_grace));
    if (!stopped) {
        worker_.gave_up = tools_.clock.steady_now();
        worker_.stop_given_up = worker_.gave_up;
        co_return;
    }
    worker_.ready.erase(instance);
}

Task<> Pass::remove(const std::string& instance) {
    co_await tools_.runtime.remove_instance(instance);
    worker_.ready.erase(instance);
    worker_.deaths.erase(instance);
    tools_.routes.forget_use(instance);
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
