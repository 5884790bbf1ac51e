#include "services/workspace_container_service.hpp"

#include <algorithm>

#include "model/health.hpp"
#include "model/life_event.hpp"
#include "services/access.hpp"
#include "services/quota_rules.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::DesiredState;
using model::Operation;
using model::OperationKind;
using model::OperationState;
using model::Phase;
using model::Workspace;
using store::Transaction;

namespace {

constexpr auto kWaitLimit = std::chrono::seconds(60);
constexpr auto kLookLimit = std::chrono::seconds(2);

void refuse_deleted(const Workspace& workspace) {
    if (workspace.desired_state == DesiredState::kDeleted) {
        throw base::conflict("workspace_deleting", "This workspace is being deleted; create another one.");
    }
}

void refuse_unwanted(Transaction& tx, Workspace& workspace, const RequestOptions& options) {
    if (!options.only_if || options.only_if(tx, workspace)) return;
    throw base::conflict("not_wanted_any_more",
                         "Something has happened meanwhile: the workspace is left as it is.");
}

// A request that was on its way when the user stopped the workspace does not undo that.
void refuse_waking(Transaction& tx, const Workspace& workspace) {
    if (!workspace.wake_on_request) {
        throw base::conflict("wake_not_allowed", "The workspace is not running. Start it first.");
    }
    const auto open = tx.operations().open_of(workspace.id);
    if (open && open->kind == OperationKind::kStop) {
        throw Error(ErrorCode::kUnavailable, "workspace_stopping",
                    "The workspace is being stopped. Try again once it has stopped.")
            .with_retry_after(2);
    }
}

Operation supersede(Transaction& tx, Operation operation, base::Time now) {
    operation.state = OperationState::kSuperseded;
    operation.finished_at = now;
    tx.operations().update(operation);
    return operation;
}

// Does the open operation lead to what is asked for now?
bool leads_there(const Operation& open, OperationKind kind, const std::optional<base::ProjectId>& project) {
    switch (kind) {
        case OperationKind::kStart:
            return open.kind == OperationKind::kStart || open.kind == OperationKind::kRestart ||
                   open.kind == OperationKind::kSwitch;
        case OperationKind::kSwitch:
            return open.kind == kind && open.project_id == project;
        default:
            return open.kind == kind;
    }
}

Phase phase_at_request(OperationKind kind) {
    switch (kind) {
        case OperationKind::kStop:
            return Phase::kStopping;
        case OperationKind::kDelete:
            return Phase::kDeleting;
        case OperationKind::kSwitch:
            return Phase::kSwitching;
        default:
            return Phase::kQueued;
    }
}

// Another than the owner: an administrator.
std::optional<base::UserId> requester(const RequestOptions& options) {
    if (!options.by || options.by->kind != model::ActorKind::kUser || !options.by->id) return std::nullopt;
    return base::UserId::parse(*options.by->id);
}

// In the workspace's life: what was asked for, by whom.
void tell_request(Transaction& tx, const Workspace& workspace, const Operation& operation,
                  const RequestOptions& options) {
    const auto by =
        options.by.value_or(model::Actor{model::ActorKind::kUser, std::string(workspace.user_id.view())});
    auto kind = model::requested_kind(operation.kind);
    std::string why = "A " + std::string(model::to_text(operation.kind)) + " was asked for" +
                      (operation.force ? ", by force." : ".");
    if (options.by_request) {
        kind = model::LifeEventKind::kWoken;
        why = "Its application was asked for while it was stopped.";
    } else if (options.cause) {
        kind = options.cause->kind;
        why = options.cause->why;
    } else if (!model::is_open(operation.state)) {
        kind = model::reached_kind(operation.kind);
        why = "It was stopped, and has another project from now on.";
    }
    auto event = model::make_life_event(workspace.id, kind, operation.created_at, by, std::move(why));
    event.operation_id = operation.id;
    if (operation.project_id) event.details["projectId"] = operation.project_id->view();
    tx.life_events().insert(event);
}

// The engine has it, whether it is on the way or not.
const model::Instance* serving_instance(const std::vector<model::Instance>& instances,
                                        std::int64_t generation) {
    const model::Instance* best = nullptr;
    for (const auto& each : instances) {
        if (best == nullptr || (each.generation == generation && best->generation != generation))
            best = &each;
    }
    return best;
}

}  // namespace

Task<Requested> WorkspaceContainerService::start_workspace(base::UserId user, base::WorkspaceId id,
                                                           RequestOptions options) {
    const auto now = clock_.now();
    auto decision = co_await store_.write([=, this](Transaction& tx) {
        auto workspace = owned_workspace(tx, user, id);
        refuse_deleted(workspace);
        refuse_unwanted(tx, workspace, options);
        if (options.by_request) refuse_waking(tx, workspace);
        if (catalogue_.find(workspace.type) == nullptr) {
            throw base::conflict("workspace_type_unknown",
                                 "The workspace type '" + workspace.type +
                                     "' is not configured on this server; ask its operator to add it.");
        }
        // What runs already, or is to, is counted already.
        if (workspace.desired_state != DesiredState::kRunning)
            require_room_to_start(tx, workspace, catalogue_, quota_);
        if (!workspace.next_generation) ensure_current_project(tx, workspace, now);
        require_project_free(tx, *workspace.current_project_id, id);
        workspace.desired_state = DesiredState::kRunning;
        if (workspace.generation == 0) workspace.generation = ++workspace.last_generation;
        return decide(tx, std::move(workspace), OperationKind::kStart, options, std::nullopt, now);
    });
    co_return co_await carry_out(user, std::move(decision), options);
}

// Files never live in a container's own layer: a workspace that has no project gets one of its own.
void WorkspaceContainerService::ensure_current_project(Transaction& tx, Workspace& workspace,
                                                       base::Time now) {
    if (workspace.current_project_id) {
        auto project = tx.projects().find(*workspace.current_project_id);
        if (project && project->user_id == workspace.user_id) return;
    }
    model::Project project{
        .id = base::ProjectId::generate(), .name = workspace.name, .user_id = workspace.user_id};
    if (project.name.empty()) project.name = "Project";
    project.language = "other";
    project.workspace_id = workspace.id;
    project.workspace_type = workspace.type;
    project.created_at = now;
    project.updated_at = now;
    tx.projects().insert(project);
    workspace.current_project_id = project.id;
    workspace.generation = ++workspace.last_generation;
}

Task<Requested> WorkspaceContainerService::stop_workspace(base::UserId user, base::WorkspaceId id,
                                                          RequestOptions options) {
    const auto now = clock_.now();
    auto decision = co_await store_.write([=](Transaction& tx) {
        auto workspace = owned_workspace(tx, user, id);
        refuse_deleted(workspace);
        refuse_unwanted(tx, workspace, options);
        workspace.desired_state = DesiredState::kStopped;
        workspace.next_generation.reset();
        workspace.next_project_id.reset();
        return decide(tx, std::move(workspace), OperationKind::kStop, options, std::nullopt, now);
    });
    co_return co_await carry_out(user, std::move(decision), options);
}

Task<Requested> WorkspaceContainerService::restart_workspace(base::UserId user, base::WorkspaceId id,
                                                             RequestOptions options) {
    const auto now = clock_.now();
    const bool running = co_await store_.read([=](Transaction& tx) {
        const auto workspace = owned_workspace(tx, user, id);
        return workspace.desired_state == DesiredState::kRunning;
    });
    if (!running) co_return co_await start_workspace(user, id, options);
    auto decision = co_await store_.write([=](Transaction& tx) {
        auto workspace = owned_workspace(tx, user, id);
        refuse_deleted(workspace);
        if (workspace.desired_state != DesiredState::kRunning) {
            throw base::conflict("workspace_not_running",
                                 "The workspace has just been stopped; start it instead.");
        }
        const auto open = tx.operations().open_of(id);
        if (!open || open->kind != OperationKind::kRestart) {
            workspace.next_generation = ++workspace.last_generation;
            workspace.next_project_id = workspace.current_project_id;
        }
        return decide(tx, std::move(workspace), OperationKind::kRestart, options, std::nullopt, now);
    });
    co_return co_await carry_out(user, std::move(decision), options);
}

Task<Requested> WorkspaceContainerService::delete_workspace(base::UserId user, base::WorkspaceId id,
                                                            RequestOptions options) {
    const auto now = clock_.now();
    auto decision = co_await store_.write([=](Transaction& tx) {
        auto workspace = owned_workspace(tx, user, id);
        const bool was_default = workspace.is_default;
        workspace.desired_state = DesiredState::kDeleted;
        workspace.next_generation.reset();
        workspace.next_project_id.reset();
        workspace.is_default = false;
        auto decided = decide(tx, std::move(workspace), OperationKind::kDelete, options, std::nullopt, now);
        if (was_default) {
            // The newest of the others becomes the default.
            const auto others = workspaces_that_stay(tx, user);
            const auto newest = std::ranges::max_element(others, {}, &Workspace::created_at);
            if (newest != others.end()) {
                decided.promoted = *newest;
                decided.promoted->is_default = true;
                decided.promoted->updated_at = now;
                tx.workspaces().update(*decided.promoted);
            }
        }
        return decided;
    });
    co_return co_await carry_out(user, std::move(decision), options);
}

Task<Requested> WorkspaceContainerService::switch_project_volume(base::UserId user, base::WorkspaceId id,
                                                                 base::ProjectId project_id,
                                                                 RequestOptions options) {
    const auto now = clock_.now();
    auto decision = co_await store_.write([=](Transaction& tx) {
        auto workspace = owned_workspace(tx, user, id);
        const auto project = owned_project(tx, user, project_id);
        refuse_deleted(workspace);
        if (!model::is_compatible(project.workspace_type, workspace.type)) {
            throw Error(ErrorCode::kInvalid, "incompatible_type",
                        "The project '" + project.name + "' belongs to workspaces of type '" +
                            project.workspace_type.value_or("") + "', this one is of type '" +
                            workspace.type + "'; choose a compatible project.")
                .with_field("projectId", "belongs to another type of workspace");
        }
        const auto open = tx.operations().open_of(id);
        const bool joins = open && leads_there(*open, OperationKind::kSwitch, project_id);
        if (workspace.desired_state == DesiredState::kRunning && !joins) {
            require_project_free(tx, project_id, id);
            if (workspace.current_project_id == project_id) {
                workspace.next_generation.reset();  // back to what it still serves
                workspace.next_project_id.reset();
            } else {
                workspace.next_generation = ++workspace.last_generation;
                workspace.next_project_id = project_id;
            }
        } else if (workspace.desired_state != DesiredState::kRunning &&
                   workspace.current_project_id != project_id) {
            workspace.current_project_id = project_id;
            workspace.generation = ++workspace.last_generation;
        }
        return decide(tx, std::move(workspace), OperationKind::kSwitch, options, project_id, now);
    });
    co_return co_await carry_out(user, std::move(decision), options);
}

// Records what is wanted now. There is one open operation at most: the one under way is joined when it leads
// there, else it is superseded.
WorkspaceContainerService::Decision WorkspaceContainerService::decide(Transaction& tx, Workspace workspace,
                                                                      OperationKind kind,
                                                                      const RequestOptions& options,
                                                                      std::optional<base::ProjectId> project,
                                                                      base::Time now) {
    const bool force = options.force && (kind == OperationKind::kStop || kind == OperationKind::kDelete);
    auto open = tx.operations().open_of(workspace.id);
    if (open && leads_there(*open, kind, project)) {
        if (force && !open->force) {
            open->force = true;
            tx.operations().update(*open);
        }
        return {.workspace = std::move(workspace), .operation = *open, .superseded = {}, .changed = force};
    }
    Decision decision{
        .workspace = std::move(workspace),
        .operation = {.id = base::OperationId::generate(), .workspace_id = base::WorkspaceId::generate()}};
    if (open) decision.superseded = supersede(tx, std::move(*open), now);
    auto& row = decision.workspace;
    // A workspace at rest that only points to another project stays at rest.
    const bool at_rest = kind == OperationKind::kSwitch && row.desired_state == DesiredState::kStopped;
    if (!at_rest) row.phase = phase_at_request(kind);
    if (kind != OperationKind::kSwitch) row.last_error.reset();
    // Whoever asks for it begins a new row of the server's own restarts.
    row.restarts = 0;
    row.restarted_at.reset();
    row.unhealthy_since.reset();
    row.updated_at = now;
    tx.workspaces().update(row);
    auto& operation = decision.operation;
    operation.workspace_id = row.id;
    operation.kind = kind;
    operation.phase = "queued";
    if (!options.by || options.by->kind != model::ActorKind::kServer)
        operation.requested_by = requester(options).value_or(row.user_id);
    operation.project_id = project;
    operation.force = force;
    operation.created_at = now;
    if (at_rest) {
        operation.state = OperationState::kSucceeded;
        operation.phase = "done";
        operation.progress = 100;
        operation.started_at = now;
        operation.finished_at = now;
    }
    tx.operations().insert(operation);
    tell_request(tx, row, operation, options);
    return decision;
}

Task<Requested> WorkspaceContainerService::carry_out(base::UserId user, Decision decision,
                                                     RequestOptions options) {
    const auto id = decision.workspace.id;
    if (decision.superseded) reconciler_.superseded(*decision.superseded);
    if (decision.changed) {
        co_await routes_.upsert(decision.workspace);
        if (decision.promoted) co_await routes_.upsert(*decision.promoted);
        // Only what stops it hurries a polite stop: one that is given up still has its effect, on what was
        // started since.
        reconciler_.desire_changed(id, decision.operation.force);
    }
    Requested requested{.operation = decision.operation, .workspace = decision.workspace};
    if (!model::is_open(decision.operation.state)) {
        requested.finished = true;
        co_return requested;
    }
    if (options.respond_async) {
        requested.operation = with_progress(decision.operation);
        co_return requested;
    }
    const auto outcome = co_await reconciler_.wait(decision.operation, kWaitLimit);
    if (outcome.error &&
        (outcome.error->word() == "runtime_unavailable" || outcome.error->word() == "runtime_timeout")) {
        throw Error(ErrorCode::kUnavailable, "runtime_unavailable",
                    "The container engine does not answer at present. The request is recorded and goes on by "
                    "itself when the engine is back.")
            .with_internal(outcome.error->internal())
            .with_retry_after(5);
    }
    if (outcome.error) throw *outcome.error;
    if (outcome.operation) {
        requested.operation = *outcome.operation;
        requested.finished = true;
        if (outcome.operation->state == OperationState::kSuperseded) {
            throw base::conflict("operation_superseded",
                                 "A newer request for this workspace took the place of this one.");
        }
        if (outcome.operation->state == OperationState::kFailed) {
            throw base::conflict(outcome.operation->error_code.value_or("operation_failed"),
                                 outcome.operation->error.value_or("The operation failed; try again."));
        }
    } else {
        requested.operation = with_progress(decision.operation);
    }
    requested.workspace = co_await store_.read([user, id](Transaction& tx) -> std::optional<Workspace> {
        auto workspace = tx.workspaces().find(id);
        if (workspace && workspace->user_id != user) return std::nullopt;
        return workspace;
    });
    co_return requested;
}

Phase WorkspaceContainerService::live_phase(const Workspace& workspace) const {
    const auto progress = reconciler_.progress(workspace.id);
    return progress ? progress->phase : workspace.phase;
}

Operation WorkspaceContainerService::with_progress(Operation operation) const {
    if (!model::is_open(operation.state)) return operation;
    if (const auto progress = reconciler_.progress(operation.workspace_id)) {
        operation.state = OperationState::kRunning;
        operation.phase =
            progress->step.empty() ? std::string(model::to_text(progress->phase)) : progress->step;
        operation.progress = progress->percent;
        operation.queue = progress->queue;
    }
    return operation;
}

Task<WorkspaceStatusReport> WorkspaceContainerService::workspace_status(base::UserId user,
                                                                        base::WorkspaceId id) {
    const auto now = clock_.now();
    auto [workspace, operation, crashes, last_crash] = co_await store_.read([=](Transaction& tx) {
        return std::tuple(owned_workspace(tx, user, id), tx.operations().latest_of(id),
                          tx.life_events().crashes(id, now - model::CrashRules().window),
                          tx.life_events().latest(id, model::LifeEventKind::kCrashed));
    });
    WorkspaceStatusReport report{.workspace = workspace, .phase = workspace.phase, .operation = {}};
    report.recent_crashes = static_cast<int>(crashes.size());
    report.last_crash = std::move(last_crash);
    if (operation) report.operation = with_progress(*operation);
    std::vector<model::Instance> instances;
    bool engine_answers = true;
    try {
        auto seen = co_await base::with_timeout(clock_, kLookLimit, runtime_.instances(id));
        engine_answers = seen.has_value();
        if (seen) instances = std::move(*seen);
    } catch (const Error&) {
        engine_answers = false;
    }
    // Reading works without the engine: what was seen last is told.
    if (!engine_answers) instances = reconciler_.last_seen(id);
    if (const auto* instance = serving_instance(instances, workspace.generation)) {
        report.instance = *instance;
        report.container_running = instance->state == model::InstanceState::kRunning;
    }
    report.phase = live_phase(workspace);
    const bool unhealthy = report.instance && reconciler_.is_unhealthy(id, *report.instance);
    report.answers = report.instance && reconciler_.is_ready(id, report.instance->id) && !unhealthy;
    if (!engine_answers) {
        report.health = "unknown";  // whatever was seen last
    } else if (!report.container_running) {
        report.health = "stopped";
    } else if (report.answers) {
        report.health = "healthy";
    } else {
        report.health =
            report.operation && model::is_open(report.operation->state) ? "starting" : "unhealthy";
    }
    co_return report;
}

}  // namespace agentdb9::services
