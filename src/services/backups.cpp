#include "services/backups.hpp"

#include "base/log.hpp"
#include "services/access.hpp"
#include "services/snapshot.hpp"

namespace agentdb9::services {

using base::Error;
using model::Backup;
using model::BackupState;
using model::ProjectOperation;
using store::Transaction;

namespace {

constexpr std::chrono::minutes kSameTurn{30};

// Counts what passes, and ends the freeze when its time is over.
class Tap final : public base::ByteSink {
  public:
    Tap(base::ByteSink& to, Freeze& freeze, std::shared_ptr<WorkProgress> progress, std::uint64_t expected)
        : to_(to), freeze_(freeze), progress_(std::move(progress)), expected_(expected) {}

    Task<> write(std::span<const char> bytes) override {
        co_await to_.write(bytes);
        passed_ += bytes.size();
        progress_->set(passed_, expected_);
        if (!freeze_.active() || !freeze_.over()) co_return;
        log::warning("a paused workspace goes on before its backup is complete: that takes too long");
        co_await freeze_.end();
        cut_short_ = true;
    }
    bool cut_short() const { return cut_short_; }

  private:
    base::ByteSink& to_;
    Freeze& freeze_;
    std::shared_ptr<WorkProgress> progress_;
    std::uint64_t expected_;
    std::uint64_t passed_ = 0;
    bool cut_short_ = false;
};

Backup make_backup(const model::Project& project, const BackupRequest& request, base::Time now) {
    Backup backup{.id = base::BackupId::generate(), .project_id = project.id, .user_id = project.user_id};
    backup.project_name = project.name;
    backup.name = request.name;
    backup.scheduled = request.scheduled;
    backup.snapshot = snapshot_of(project);
    backup.created_at = now;
    backup.file = BackupFiles::name_of(backup);
    return backup;
}

// Several servers look at one schedule; what one has just done is not due for another.
void refuse_second(Transaction& tx, const model::Project& project, base::Time now) {
    const auto last = tx.backups().of_project(project.user_id, project.id, {.limit = 1, .cursor = {}}).rows;
    if (last.empty() || !last.front().scheduled || now - last.front().created_at > kSameTurn) return;
    throw base::conflict("project_busy", "This project's turn has just been.");
}

}  // namespace

void require_known_project(Transaction& tx, const base::UserId& user, const base::ProjectId& project) {
    const auto row = tx.projects().find(project);
    if (row && row->user_id == user) return;
    // A deleted one is known by what it left.
    if (row || tx.backups().of_project(user, project, {.limit = 1, .cursor = {}}).rows.empty())
        throw base::not_found("project");
}

Backup owned_backup(Transaction& tx, const base::UserId& user, const base::ProjectId& project,
                    const base::BackupId& id) {
    require_known_project(tx, user, project);
    auto backup = tx.backups().find(id);
    if (!backup || backup->user_id != user || backup->project_id != project ||
        backup->state == BackupState::kDeleting)
        throw base::not_found("backup");
    return std::move(*backup);
}

void require_complete(const Backup& backup) {
    if (backup.state == BackupState::kComplete) return;
    throw base::conflict("backup_not_complete",
                         backup.state == BackupState::kRunning
                             ? "This backup is still being made; wait until it is complete."
                             : "This backup failed and holds nothing; choose another one.");
}

Task<BackupService::Begun> BackupService::create(base::UserId user, base::ProjectId id,
                                                 BackupRequest request) {
    auto operation = t_.work.make(model::ProjectOperationKind::kBackup, id, user);
    if (!request.scheduled) operation.requested_by = user;
    const auto now = t_.clock.now();
    auto [backup, volume] = co_await t_.store.write([=](Transaction& tx) {
        const auto project = owned_project(tx, user, id);
        if (!project.volume_name) {
            throw base::conflict("project_has_no_volume",
                                 "This project has no files yet; start a workspace with it first.");
        }
        if (request.scheduled) refuse_second(tx, project, now);
        auto made = make_backup(project, request, now);
        auto row = operation;
        row.backup_id = made.id;
        tx.project_operations().insert(row);
        tx.backups().insert(made);
        return std::pair(made, *project.volume_name);
    });
    operation.backup_id = backup.id;
    auto progress = std::make_shared<WorkProgress>();
    t_.work.begin(operation, progress, back_up(backup, operation, volume, request.pause, progress));
    co_return Begun{backup, operation};
}

// 1. The volume's stream goes into a partial file. 2. What the disk has of it is read back and checked. 3. It
// gets its name and manifest. 4. The row says that it is complete. Before that nobody relies on it.
Task<> BackupService::back_up(Backup backup, ProjectOperation operation, std::string volume, bool pause,
                              std::shared_ptr<WorkProgress> progress) {
    std::optional<Error> failure;
    try {
        co_await t_.files.prepare(backup);
        archive::Writer writer(t_.executor, t_.files.partial(backup));
        backup.consistent = co_await copy(backup, operation, volume, pause, writer, progress);
        const auto written = co_await writer.finish();
        progress->phase = "checking";
        progress->percent.reset();
        const auto contents =
            co_await archive::verify(t_.executor, t_.files.partial(backup), written.sha256, {});
        backup.state = BackupState::kComplete;
        backup.size_bytes = static_cast<std::int64_t>(written.bytes);
        backup.sha256 = written.sha256;
        backup.content_bytes = static_cast<std::int64_t>(contents.bytes);
        backup.files = static_cast<std::int64_t>(contents.files);
        backup.finished_at = t_.clock.now();
        co_await t_.files.publish(backup);
        co_await t_.store.write([backup, operation](Transaction& tx) {
            ProjectWork::succeed(tx, operation, *backup.finished_at);
            tx.backups().update(backup);
        });
    } catch (const Error& error) {
        failure = error;
    }
    if (!failure) {
        log::info("made a backup", {{"projectId", backup.project_id.view()},
                                    {"backupId", backup.id.view()},
                                    {"bytes", backup.size_bytes}});
        co_return;
    }
    co_await discard(backup);
    throw std::move(*failure);
}

Task<bool> BackupService::copy(Backup backup, ProjectOperation operation, std::string volume, bool pause,
                               archive::Writer& writer, std::shared_ptr<WorkProgress> progress) {
    progress->phase = "copying";
    const auto began = t_.clock.now();
    const auto last = co_await t_.store.read(
        [id = backup.project_id](Transaction& tx) { return tx.backups().latest_complete(id); });
    Freeze freeze(t_.clock, t_.store, t_.runtime, operation.id, volume);
    Tap tap(writer, freeze, progress, last ? static_cast<std::uint64_t>(last->content_bytes) : 0);
    bool quiet = false;
    std::exception_ptr failure;
    try {
        if (pause) co_await freeze.begin();
        quiet = pause || co_await is_quiet(backup.project_id, volume, std::nullopt);
        co_await t_.volumes.read_volume(volume, "", tap);
    } catch (...) {
        failure = std::current_exception();
    }
    // A server that is ended leaves nothing paused.
    if (failure && base::is_cancellation(failure))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await freeze.end();
    if (failure) std::rethrow_exception(failure);
    if (pause) co_return !tap.cut_short();
    co_return quiet&& co_await is_quiet(backup.project_id, volume, began);
}

Task<bool> BackupService::is_quiet(base::ProjectId project, std::string volume,
                                   std::optional<base::Time> since) {
    for (const auto& instance : co_await t_.runtime.instances_on_volume(volume)) {
        if (model::holds_volumes(instance.state)) co_return false;
    }
    if (!since) co_return true;
    // One may have come and gone meanwhile.
    co_return co_await t_.store.read([project, since](Transaction& tx) {
        for (const auto& workspace : tx.workspaces().using_project(project)) {
            if (workspace.updated_at >= *since) return false;
        }
        return true;
    });
}

// What fails here is tried again by sweep(): the row remembers the file.
Task<> BackupService::discard(Backup backup) {
    try {
        co_await t_.files.remove(backup);
    } catch (const Error& error) {
        log::warning("a failed backup's file is removed later",
                     {{"backupId", backup.id.view()}, {"reason", error.what()}});
    }
}

Task<> BackupService::require_known(base::UserId user, base::ProjectId project) {
    co_await t_.store.read([=](Transaction& tx) { require_known_project(tx, user, project); });
}

Task<store::Listing<Backup>> BackupService::list(base::UserId user, base::ProjectId project,
                                                 store::Page page) {
    co_return co_await t_.store.read([=](Transaction& tx) {
        require_known_project(tx, user, project);
        return tx.backups().of_project(user, project, page);
    });
}

Task<store::Listing<Backup>> BackupService::list_all(base::UserId user, store::Page page) {
    co_return co_await t_.store.read([=](Transaction& tx) { return tx.backups().of_user(user, page); });
}

Task<Backup> BackupService::find(base::UserId user, base::ProjectId project, base::BackupId id) {
    co_return co_await t_.store.read([=](Transaction& tx) { return owned_backup(tx, user, project, id); });
}

Task<store::Listing<ProjectOperation>> BackupService::operations(base::UserId user, base::ProjectId project,
                                                                 store::Page page) {
    co_return co_await t_.store.read([=](Transaction& tx) {
        auto listing = tx.project_operations().of_project(user, project, page);
        if (listing.rows.empty()) require_known_project(tx, user, project);
        return listing;
    });
}

Task<std::shared_ptr<BackupFiles::File>> BackupService::open(Backup backup) {
    require_complete(backup);
    co_return co_await t_.files.open(t_.files.archive(backup));
}

// 1. The row says that it is being deleted: nobody finds it any more. 2. The files go. 3. The row goes. One
// that stops in between is gone on with by sweep().
Task<> BackupService::remove(base::UserId user, base::ProjectId project, base::BackupId id) {
    const auto backup = co_await t_.store.write([=](Transaction& tx) {
        auto row = owned_backup(tx, user, project, id);
        if (row.state == BackupState::kRunning || tx.project_operations().uses_backup(id)) {
            throw base::conflict(
                "backup_in_use",
                "This backup is being made or restored just now; wait until that has ended.");
        }
        row.state = BackupState::kDeleting;
        tx.backups().update(row);
        return row;
    });
    co_await t_.files.remove(backup);
    co_await t_.store.write([id](Transaction& tx) { tx.backups().remove(id); });
}

Task<> BackupService::sweep() {
    const auto left = co_await t_.store.read([](Transaction& tx) { return tx.backups().with_leftovers(); });
    for (auto backup : left) {
        co_await t_.files.remove(backup);
        co_await t_.store.write([backup](Transaction& tx) mutable {
            if (backup.state == BackupState::kDeleting) return tx.backups().remove(backup.id);
            backup.file.clear();
            tx.backups().update(backup);
        });
    }
}

}  // namespace agentdb9::services
