#include "services/journal.hpp"

#include <algorithm>

#include "model/instance.hpp"
#include "model/life_event.hpp"
#include "services/journal_rows.hpp"
#include "services/snapshot.hpp"

namespace agentdb9::services {

using model::DesiredState;
using model::Operation;
using model::OperationKind;
using model::OperationState;
using model::Phase;
using model::WorkspaceStatus;
using store::Transaction;

namespace {

std::optional<Job> load_job(Transaction& tx, const base::WorkspaceId& id) {
    auto workspace = tx.workspaces().find(id);
    if (!workspace) return std::nullopt;
    Job job{
        .workspace = std::move(*workspace), .project = {}, .next_project = {}, .operation = {}, .lease = {}};
    if (job.workspace.current_project_id) job.project = tx.projects().find(*job.workspace.current_project_id);
    if (job.workspace.next_project_id) job.next_project = tx.projects().find(*job.workspace.next_project_id);
    job.operation = tx.operations().open_of(id);
    return job;
}

std::string sentence_of(OperationKind kind) {
    switch (kind) {
        case OperationKind::kStart:
            return "Its application answers.";
        case OperationKind::kStop:
            return "It was stopped as asked; its files stay.";
        case OperationKind::kRestart:
            return "A new container took the place of the old one.";
        case OperationKind::kSwitch:
            return "It has another project from now on.";
        case OperationKind::kDelete:
            return "It was deleted as asked; its home lies in the trash.";
        case OperationKind::kRecover:
            return "The server brought it back, for it had ended by itself.";
    }
    return {};
}

// In the workspace's life: how the operation ended.
void tell_end(Transaction& tx, const Operation& operation, model::Time now) {
    const auto by = tx.life_events().requester(operation.workspace_id, operation.id);
    const bool failed = operation.state == OperationState::kFailed;
    auto event = model::make_life_event(
        operation.workspace_id, failed ? model::LifeEventKind::kFailed : model::reached_kind(operation.kind),
        now, by.value_or(model::Actor{}),
        failed ? operation.error.value_or("It failed.") : sentence_of(operation.kind));
    event.operation_id = operation.id;
    if (failed) {
        event.details["operation"] = model::to_text(operation.kind);
        if (operation.error_code) event.details["code"] = *operation.error_code;
    }
    if (operation.project_id) event.details["projectId"] = operation.project_id->view();
    tx.life_events().insert(event);
}

std::optional<Operation> finish(Transaction& tx, std::optional<Operation> operation, OperationState state,
                                model::Time now) {
    if (!operation) return std::nullopt;
    operation->state = state;
    if (!operation->started_at) operation->started_at = now;
    operation->finished_at = now;
    if (state == OperationState::kSucceeded) {
        operation->phase = "done";
        operation->progress = 100;
    }
    tx.operations().update(*operation);
    tell_end(tx, *operation, now);
    return operation;
}

// The row of a workspace that is as it is wanted.
model::Workspace as_reached(const Job& job) {
    auto workspace = job.workspace;
    const bool running = workspace.desired_state == DesiredState::kRunning;
    // A failure is still to be seen after its left-overs are stopped; only a request takes it away.
    const bool failed_rest = !running && !job.operation && workspace.phase == Phase::kFailed;
    workspace.phase = running ? Phase::kRunning : failed_rest ? Phase::kFailed : Phase::kStopped;
    if (running) {
        workspace.status = WorkspaceStatus::kRunning;
        workspace.container_name = model::instance_name(workspace.id);
    } else if (job.operation || workspace.status == WorkspaceStatus::kRunning) {
        workspace.status = WorkspaceStatus::kStopped;
    }
    if (running || job.operation) workspace.last_error.reset();
    if (!running) workspace.unhealthy_since.reset();
    workspace.held = false;
    return workspace;
}

bool same(const model::Workspace& a, const model::Workspace& b) {
    return a.phase == b.phase && a.status == b.status && a.container_name == b.container_name &&
           a.held == b.held && a.last_error == b.last_error && a.unhealthy_since == b.unhealthy_since;
}

}  // namespace

std::optional<Job> reload_unchanged(Transaction& tx, const Job& job) {
    if (job.lease && !tx.leases().holds(job.workspace.id, job.lease->holder, job.lease->token))
        return std::nullopt;
    auto now = load_job(tx, job.workspace.id);
    if (!now) return std::nullopt;
    now->lease = job.lease;
    const auto& a = now->workspace;
    const auto& b = job.workspace;
    const bool same = a.desired_state == b.desired_state && a.generation == b.generation &&
                      a.next_generation == b.next_generation &&
                      a.current_project_id == b.current_project_id && a.next_project_id == b.next_project_id;
    if (!same) return std::nullopt;
    return now;
}

Operation insert_recovery(Transaction& tx, const base::WorkspaceId& workspace, model::Time now) {
    Operation operation{.id = base::OperationId::generate(), .workspace_id = workspace};
    operation.kind = OperationKind::kRecover;
    operation.state = OperationState::kRunning;
    operation.phase = "queued";
    operation.created_at = now;
    operation.started_at = now;
    tx.operations().insert(operation);
    return operation;
}

bool Journal::is_complete(const Job& job) {
    return !job.operation && same(as_reached(job), job.workspace);
}

Task<std::optional<Job>> Journal::load(base::WorkspaceId workspace) {
    co_return co_await store_.read([workspace](Transaction& tx) { return load_job(tx, workspace); });
}

Task<> Journal::begin(Job job) {
    if (!job.operation || job.operation->state != OperationState::kPending) co_return;
    const auto now = clock_.now();
    co_await store_.write([id = job.operation->id, now](Transaction& tx) {
        auto operation = tx.operations().find(id);
        if (!operation || operation->state != OperationState::kPending) return;
        operation->state = OperationState::kRunning;
        operation->started_at = now;
        tx.operations().update(*operation);
    });
}

Task<std::optional<Job>> Journal::begin_recovery(Job job) {
    const auto now = clock_.now();
    co_return co_await store_.write([job, now](Transaction& tx) -> std::optional<Job> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh || fresh->operation) return fresh;
        fresh->operation = insert_recovery(tx, job.workspace.id, now);
        return fresh;
    });
}

Task<std::optional<Job>> Journal::hold(Job job) {
    co_return co_await store_.write([job](Transaction& tx) -> std::optional<Job> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh) return std::nullopt;
        fresh->workspace.held = true;
        tx.workspaces().update(fresh->workspace);
        return fresh;
    });
}

Task<std::optional<Job>> Journal::commit_next(Job job) {
    const auto now = clock_.now();
    co_return co_await store_.write([job, now](Transaction& tx) -> std::optional<Job> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh || !fresh->workspace.next_generation) return std::nullopt;
        auto& workspace = fresh->workspace;
        workspace.generation = *workspace.next_generation;
        workspace.current_project_id = workspace.next_project_id;
        workspace.next_generation.reset();
        workspace.next_project_id.reset();
        workspace.held = false;
        workspace.updated_at = now;
        tx.workspaces().update(workspace);
        fresh->project = std::move(fresh->next_project);
        fresh->next_project.reset();
        return fresh;
    });
}

Task<std::optional<Operation>> Journal::complete(Job job) {
    const auto now = clock_.now();
    co_return co_await store_.write([job, now](Transaction& tx) -> std::optional<Operation> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh) return std::nullopt;
        if (auto reached = as_reached(*fresh); !same(reached, fresh->workspace)) {
            reached.updated_at = now;
            tx.workspaces().update(reached);
        }
        // A start that somebody asked for is the first use of it.
        const auto& operation = fresh->operation;
        if (operation && operation->kind != OperationKind::kRecover &&
            fresh->workspace.desired_state == DesiredState::kRunning)
            tx.activities().note(fresh->workspace.id, {std::string(model::kStartActivity), now});
        return finish(tx, operation, OperationState::kSucceeded, now);
    });
}

Task<std::optional<Operation>> Journal::fail(Job job, base::Error error, bool give_up) {
    const auto now = clock_.now();
    co_return co_await store_.write([job, error, give_up, now](Transaction& tx) -> std::optional<Operation> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh) return std::nullopt;
        auto& workspace = fresh->workspace;
        workspace.updated_at = now;
        workspace.last_error = error.message();
        workspace.held = false;
        bool stopped_by_us = false;
        if (workspace.next_generation) {
            workspace.next_generation.reset();
            workspace.next_project_id.reset();
            workspace.phase = Phase::kRunning;
        } else if (workspace.desired_state == DesiredState::kRunning && give_up) {
            workspace.desired_state = DesiredState::kStopped;
            workspace.phase = Phase::kFailed;
            workspace.status = WorkspaceStatus::kError;
            stopped_by_us = true;
        }
        tx.workspaces().update(workspace);
        if (!fresh->operation && stopped_by_us) {
            // Nobody asked, but somebody will ask why.
            Operation operation{.id = base::OperationId::generate(), .workspace_id = workspace.id};
            operation.kind = OperationKind::kRecover;
            operation.state = OperationState::kRunning;
            operation.phase = "probing";
            operation.created_at = now;
            tx.operations().insert(operation);
            fresh->operation = operation;
        }
        if (fresh->operation) {
            fresh->operation->error = error.message();
            fresh->operation->error_code = error.word();
        }
        return finish(tx, fresh->operation, OperationState::kFailed, now);
    });
}

Task<std::optional<Operation>> Journal::forget(Job job) {
    const auto now = clock_.now();
    const auto purge_after = now + trash_time_;
    co_return co_await store_.write([job, now, purge_after](Transaction& tx) -> std::optional<Operation> {
        auto fresh = reload_unchanged(tx, job);
        if (!fresh || fresh->workspace.desired_state != DesiredState::kDeleted) return std::nullopt;
        const auto& workspace = fresh->workspace;
        if (workspace.volume_name) {
            model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = workspace.user_id};
            tombstone.kind = model::VolumeKind::kHome;
            tombstone.volume_name = *workspace.volume_name;
            tombstone.owner_id = workspace.id.str();
            tombstone.owner_name = workspace.name;
            tombstone.snapshot = snapshot_of(workspace);
            tombstone.deleted_at = now;
            tombstone.purge_after = purge_after;
            tx.tombstones().insert(tombstone);
        }
        tx.projects().unassign_all(workspace.id);
        auto operation = finish(tx, fresh->operation, OperationState::kSucceeded, now);
        // With a home in the trash it may come back, and tell then what it was.
        if (!workspace.volume_name) tx.life_events().remove_all(workspace.id);
        tx.leases().forget(workspace.id);
        tx.workspaces().remove(workspace.id);
        return operation;
    });
}

Task<bool> Journal::is_frozen(base::ProjectId project) {
    co_return co_await store_.read(
        [project](Transaction& tx) { return tx.project_operations().is_frozen(project); });
}

Task<bool> Journal::claim_volumes(Job job, std::vector<model::Mount> mounts) {
    if (!job.lease) co_return true;
    co_return co_await store_.write([job, mounts](Transaction& tx) {
        const auto& id = job.workspace.id;
        if (!tx.leases().holds(id, job.lease->holder, job.lease->token)) return false;
        return std::ranges::all_of(mounts, [&](const model::Mount& mount) {
            return tx.leases().claim_volume(mount.volume, id, job.lease->token);
        });
    });
}

Task<> Journal::record_project_volume(base::ProjectId project, std::string name, std::string path) {
    const auto now = clock_.now();
    co_await store_.write([=](Transaction& tx) {
        auto row = tx.projects().find(project);
        if (!row || (row->volume_name == name && row->volume_path == path)) return;
        row->volume_name = name;
        row->volume_path = path;
        row->updated_at = now;
        tx.projects().update(*row);
    });
}

Task<> Journal::release_memory(Job job) {
    co_await store_.write([seen = std::move(job.workspace)](Transaction& tx) {
        auto row = tx.workspaces().find(seen.id);
        // Other limits since then: what was seen says nothing of them.
        if (!row || !row->memory_held_mb || row->limits != seen.limits) return;
        row->memory_held_mb.reset();
        tx.workspaces().update(*row);
    });
}

Task<> Journal::record_home_volume(base::WorkspaceId workspace, std::string name) {
    const auto now = clock_.now();
    co_await store_.write([=](Transaction& tx) {
        auto row = tx.workspaces().find(workspace);
        if (!row || row->volume_name == name) return;
        row->volume_name = name;
        row->updated_at = now;
        tx.workspaces().update(*row);
    });
}

}  // namespace agentdb9::services
