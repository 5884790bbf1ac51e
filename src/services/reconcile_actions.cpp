// What a pass does to the runtime, action by action.
#include <algorithm>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/reconcile_pass.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::Action;
using model::DesiredState;
using model::OperationKind;
using model::Phase;

namespace {

// Of one try while it starts: another one follows soon.
constexpr std::chrono::seconds kProbeLimit{1};

// Ends when the user will not wait any longer. The worker outlives the pass that asks.
Task<> forced(Worker& worker) {
    while (!worker.forced)
        co_await worker.changed.wait();
}

Task<> wanted_otherwise(Worker& worker) {
    while (!worker.desire_changed)
        co_await worker.changed.wait();
}

}  // namespace

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

Task<Pass::Step> Pass::create(const Action& action) {
    const auto* spec = wanted_.spec_of(action.generation);
    check_spec(spec);
    if (tools_.routes.serving(worker_.id).empty()) co_await tools_.routes.hold(worker_.id);
    if (!co_await tools_.runtime.has_image(spec->image) && !co_await pull(spec->image))
        co_return Step::kAgain;
    if (!co_await enter_queue()) co_return Step::kAgain;
    show(Phase::kCreating, "creating");
    const auto name =
        action.plain ? wanted_.desired.plain_name : model::instance_name(worker_.id, action.generation);
    created_ = co_await tools_.runtime.create_instance(*spec, name);
    worker_.deaths.erase(created_);
    worker_.ready.erase(created_);
    co_return Step::kDone;
}

// Who stops it, or wants it otherwise, does not wait for the image: the engine ends a pull that nobody waits
// for.
Task<bool> Pass::pull(const std::string& image) {
    show(Phase::kPulling, "pulling");
    std::exception_ptr failure;
    bool pulled = false;
    try {
        pulled = co_await base::run_unless(wanted_otherwise(worker_), pull_in_time(image));
    } catch (...) {
        failure = std::current_exception();
    }
    worker_.percent.reset();
    if (failure) std::rethrow_exception(failure);
    co_return pulled;
}

Task<> Pass::pull_in_time(std::string image) {
    const bool in_time = co_await base::with_timeout(
        tools_.clock, tools_.options.pull_limit,
        tools_.runtime.ensure_image(image, [this](const runtime::PullProgress& progress) {
            if (worker_.percent == progress.percent) return;
            worker_.percent = progress.percent;
            tools_.changed(worker_.id);
        }));
    if (in_time) co_return;
    throw Error(
        ErrorCode::kConflict, "image_unavailable",
        "The image '" + image + "' could not be pulled in time; pull it on the server and start again.");
}

// Who stops what waits does not wait for its turn; who only wants it otherwise gets it back.
Task<bool> Pass::enter_queue() {
    if (place_) co_return true;
    if (worker_.ticket == 0) worker_.ticket = tools_.queue.next_ticket();
    show(Phase::kQueued, "queued");
    const auto began = tools_.clock.steady_now();
    co_await base::run_unless(
        wanted_otherwise(worker_),
        enter({.whose = job_->workspace.user_id.str(), .name = worker_.id.str(), .ticket = worker_.ticket}));
    if (!place_) co_return false;
    worker_.ticket = 0;
    tools_.queue_waits.record(tools_.clock.steady_now() - began);
    co_return true;
}

Task<> Pass::enter(AdmissionQueue::Visitor visitor) {
    place_ = co_await tools_.queue.enter(std::move(visitor));
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
    worker_.unhealthy.erase(id);
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
        if (!co_await enter_queue()) co_return VolumeClaims::Claim();
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
            if (co_await tools_.runtime.probe(*endpoint, path, kProbeLimit) ==
                runtime::ProbeOutcome::kReady) {
                worker_.ready.insert(id);
                worker_.unhealthy.erase(id);
                co_return Step::kDone;
            }
        }
        if (tools_.clock.steady_now() >= deadline) {
            if (!heals_itself()) throw_never_ready(tools_.options.ready_limit);
            worker_.unhealthy.insert(id);
            co_return Step::kAgain;
        }
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
    constexpr std::size_t kLastWords = 500;
    std::string sentence = "The application ended while it was being started.";
    std::string output = co_await tools_.runtime.last_output(instance, 5);
    while (!output.empty() && (output.back() == '\n' || output.back() == '\r'))
        output.pop_back();
    if (!output.empty()) {
        // An application may print anything, and a person reads it.
        sentence += " Its last words: " + base::as_storable_text(base::last_characters(output, kLastWords));
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
    worker_.unhealthy.erase(instance);
    worker_.limits_told.erase(instance);
    tools_.routes.forget_use(instance);
}

}  // namespace agentdb9::services
