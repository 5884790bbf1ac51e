#include "services/wake_service.hpp"

#include "base/error.hpp"
#include "services/access.hpp"

namespace agentdb9::services {

using model::Awakening;
using model::DesiredState;
using model::OperationKind;

std::optional<std::chrono::seconds> pause_left(const model::Workspace& workspace,
                                               const std::optional<model::Operation>& latest,
                                               base::Time now) {
    if (workspace.phase != model::Phase::kFailed || workspace.desired_state != DesiredState::kStopped)
        return std::nullopt;
    if (!latest || latest->state != model::OperationState::kFailed || !latest->finished_at)
        return std::nullopt;
    // A clock that was put back must not make it a long one.
    const auto since = now - *latest->finished_at;
    if (since < since.zero() || since >= kPauseAfterFailure) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(kPauseAfterFailure - since);
}

Task<Awakening> WakeService::wake(base::UserId user, base::WorkspaceId id, bool insists) {
    // Recorded, it would start at some later time, when nobody asks for it any more.
    if (!reconciler_.connected()) {
        throw base::Error(
            base::ErrorCode::kUnavailable, "runtime_unavailable",
            "The container engine does not answer at present, so the workspace was not started. "
            "Try again in a moment; if that does not help, tell the operator of this server.")
            .with_retry_after(5);
    }
    if (!insists) {
        auto seen = co_await look(user, id);
        if (seen.pause_seconds) co_return seen;
    }
    RequestOptions options;
    options.respond_async = true;
    options.by_request = true;
    co_await containers_.start_workspace(user, id, options);
    co_return co_await look(user, id);
}

Task<Awakening> WakeService::look(base::UserId user, base::WorkspaceId id) {
    const auto [workspace, operation] = co_await store_.read([=](store::Transaction& tx) {
        return std::pair(owned_workspace(tx, user, id), tx.operations().latest_of(id));
    });
    const bool open = operation && model::is_open(operation->state);
    Awakening seen{.workspace = workspace.name, .percent = {}, .note = {}, .code = {}};
    switch (workspace.desired_state) {
        case DesiredState::kDeleted:
            throw base::conflict("workspace_deleting",
                                 "This workspace is being deleted; create another one.");
        case DesiredState::kRunning:
            seen.phase = containers_.live_phase(workspace);
            if (open) seen.percent = containers_.with_progress(*operation).progress;
            if (!reconciler_.connected()) {
                seen.note =
                    "The container engine does not answer at present; the start goes on by itself when it is "
                    "back.";
            } else if (!open && workspace.last_error) {
                seen.note = *workspace.last_error;  // it is tried again
            }
            break;
        case DesiredState::kStopped:
            seen.phase = workspace.phase;
            if (workspace.phase == model::Phase::kFailed) {
                seen.state = Awakening::State::kFailed;
                seen.note = workspace.last_error.value_or("The workspace could not be started.");
                seen.code = operation ? operation->error_code.value_or("") : "";
                if (const auto left = pause_left(workspace, operation, clock_.now()))
                    seen.pause_seconds = static_cast<int>(left->count());
            } else {
                const bool stopping = open && operation->kind == OperationKind::kStop;
                seen.state = stopping ? Awakening::State::kStopping : Awakening::State::kStopped;
            }
            break;
    }
    co_return seen;
}

}  // namespace agentdb9::services
