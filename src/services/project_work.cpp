#include "services/project_work.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::OperationState;
using model::ProjectOperation;
using store::Transaction;

struct ProjectWork::Running {
    Running(const asio::any_io_executor& executor, std::shared_ptr<WorkProgress> shown)
        : progress(std::move(shown)), ended(executor) {}
    std::shared_ptr<WorkProgress> progress;
    base::Signal ended;
    std::optional<ProjectOperation> result;
};

namespace {

constexpr std::chrono::seconds kRenewal{10};
// A server that has not renewed for so long is dead.
constexpr std::chrono::seconds kSilence{60};

// What the operation had half made is given up with it.
void fail_in(Transaction& tx, const base::OperationId& id, const Error& error, base::Time now) {
    auto row = tx.project_operations().find(id);
    if (!row || !model::is_open(row->state)) return;
    row->state = OperationState::kFailed;
    row->error_code = error.word();
    row->error = error.message();
    if (!row->started_at) row->started_at = now;
    row->finished_at = now;
    tx.project_operations().update(*row);
    if (row->kind == model::ProjectOperationKind::kBackup && row->backup_id) {
        auto backup = tx.backups().find(*row->backup_id);
        if (backup && backup->state == model::BackupState::kRunning) {
            backup->state = model::BackupState::kFailed;
            backup->error = error.message();
            backup->finished_at = now;
            tx.backups().update(*backup);
        }
    }
    if (!row->volume_name) return;
    auto tombstone = tx.tombstones().find_open_by_volume(*row->volume_name);
    if (!tombstone || tombstone->kind != model::VolumeKind::kUnfinished) return;
    tombstone->purge_after = now;
    tx.tombstones().update(*tombstone);
}

}  // namespace

void WorkProgress::set(std::uint64_t done, std::uint64_t total) {
    if (total == 0) return;
    percent = static_cast<int>(std::min<std::uint64_t>(99, done * 100 / total));
}

ProjectWork::ProjectWork(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                         std::size_t parallel)
    : executor_(executor),
      clock_(clock),
      store_(store),
      shared_(store.server_name().has_value()),
      server_(store.server_name().value_or(base::OperationId::generate().str())),
      queue_(executor, parallel),
      scope_(executor) {}

Task<> ProjectWork::start() {
    co_await end_abandoned();
    scope_.spawn("keep the work on projects alive", keep_alive());
}

Task<> ProjectWork::stop() {
    co_await scope_.close();
}

ProjectOperation ProjectWork::make(model::ProjectOperationKind kind, base::ProjectId project,
                                   base::UserId user) const {
    ProjectOperation operation{
        .id = base::OperationId::generate(), .project_id = project, .user_id = user, .kind = kind};
    operation.phase = "queued";
    operation.server = server_;
    operation.created_at = clock_.now();
    return operation;
}

void ProjectWork::begin(ProjectOperation operation, std::shared_ptr<WorkProgress> progress, Task<> work) {
    auto running = std::make_shared<Running>(executor_, std::move(progress));
    running_[operation.id] = running;
    on_change_(operation.user_id);
    scope_.spawn("work on a project", run(std::move(operation), std::move(running), std::move(work)));
}

Task<> ProjectWork::run(ProjectOperation operation, std::shared_ptr<Running> running, Task<> work) {
    std::optional<Error> error;
    try {
        auto place = co_await queue_.enter();
        co_await take_up(operation);
        co_await std::move(work);
    } catch (const Error& failure) {
        error = failure;
    } catch (...) {
        if (base::is_cancellation(std::current_exception())) throw;
        error = Error(ErrorCode::kInternal, "internal_error",
                      "Something went wrong inside the server; try again.")
                    .with_internal(log::describe(std::current_exception()));
    }
    if (error) {
        log::warning("work on a project failed", {{"projectId", operation.project_id.view()},
                                                  {"operation", model::to_text(operation.kind)},
                                                  {"reason", error->what()}});
    }
    running->result = co_await settle(operation, std::move(error));
    measures_.ended(*running->result);
    running_.erase(operation.id);
    running->ended.notify_all();
    on_change_(operation.user_id);
}

Task<> ProjectWork::take_up(ProjectOperation operation) {
    const auto now = clock_.now();
    co_await store_.write([operation, now](Transaction& tx) {
        auto row = require_open(tx, operation);
        row.state = OperationState::kRunning;
        row.started_at = now;
        tx.project_operations().update(row);
    });
}

// Until it is recorded: an operation that stays open keeps its project from all others.
Task<ProjectOperation> ProjectWork::settle(ProjectOperation operation, std::optional<Error> error) {
    for (;;) {
        std::optional<Error> outage;
        const auto now = clock_.now();
        try {
            co_return co_await store_.write([operation, error, now](Transaction& tx) {
                if (error) fail_in(tx, operation.id, *error, now);
                return tx.project_operations().find(operation.id).value_or(operation);
            });
        } catch (const Error& failure) {
            outage = failure;
        }
        log::warning("the end of an operation is not recorded yet", {{"reason", outage->what()}});
        co_await clock_.sleep_for(std::chrono::seconds(1));
    }
}

Task<std::optional<ProjectOperation>> ProjectWork::wait(ProjectOperation operation,
                                                        std::chrono::milliseconds limit) {
    const auto found = running_.find(operation.id);
    if (found == running_.end()) {
        auto row = co_await store_.read(
            [id = operation.id](Transaction& tx) { return tx.project_operations().find(id); });
        if (row && model::is_open(row->state)) co_return std::nullopt;
        co_return row;
    }
    const auto running = found->second;
    const auto deadline = clock_.steady_now() + limit;
    while (!running->result) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady_now());
        if (left.count() <= 0) co_return std::nullopt;
        co_await base::with_timeout(clock_, left, running->ended.wait());
    }
    co_return running->result;
}

ProjectOperation ProjectWork::with_progress(ProjectOperation operation) const {
    if (!model::is_open(operation.state)) return operation;
    const auto found = running_.find(operation.id);
    if (found == running_.end()) return operation;
    operation.phase = found->second->progress->phase;
    operation.progress = found->second->progress->percent;
    return operation;
}

ProjectOperation ProjectWork::require_open(Transaction& tx, const ProjectOperation& operation) {
    auto row = tx.project_operations().find(operation.id);
    if (!row || !model::is_open(row->state)) {
        throw base::conflict("operation_lost",
                             "Another server took this one for dead and ended the operation; try again.");
    }
    return std::move(*row);
}

void ProjectWork::succeed(Transaction& tx, const ProjectOperation& operation, base::Time now) {
    auto row = require_open(tx, operation);
    row.state = OperationState::kSucceeded;
    row.phase = "done";
    row.progress = 100;
    row.finished_at = now;
    tx.project_operations().update(row);
}

Task<> ProjectWork::end_abandoned() {
    const auto now = clock_.now();
    const auto silence = shared_ ? std::optional<std::chrono::milliseconds>(kSilence) : std::nullopt;
    const auto ended = co_await store_.write([server = server_, silence, now](Transaction& tx) {
        const auto abandoned = tx.project_operations().abandoned(server, silence);
        for (const auto& each : abandoned) {
            fail_in(
                tx, each.id,
                base::conflict("server_ended",
                               "The server ended while this was under way, and left everything as it was: "
                               "ask for it again."),
                now);
        }
        return abandoned.size();
    });
    if (ended > 0) log::info("ended what a dead server had begun", {{"operations", ended}});
}

Task<> ProjectWork::keep_alive() {
    for (;;) {
        co_await clock_.sleep_for(kRenewal);
        try {
            if (!running_.empty())
                co_await store_.write(
                    [server = server_](Transaction& tx) { tx.project_operations().renew(server); });
            if (shared_) co_await end_abandoned();
        } catch (const Error& error) {
            log::warning("the store does not take that work goes on", {{"reason", error.what()}});
        }
    }
}

}  // namespace agentdb9::services
