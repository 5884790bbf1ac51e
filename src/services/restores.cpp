#include "services/restores.hpp"

#include <charconv>

#include "base/log.hpp"
#include "services/access.hpp"
#include "services/quota_rules.hpp"
#include "services/snapshot.hpp"
#include "services/volume_swap.hpp"

namespace agentdb9::services {

using base::Error;
using base::ErrorCode;
using model::Backup;
using model::Project;
using model::ProjectOperation;
using model::ProjectOperationKind;
using store::Transaction;

namespace {

// A volume that is being filled is removed when its operation has failed, not before.
constexpr model::Time kNever = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
constexpr std::size_t kPiece = std::size_t{256} * 1024;

class Counted final : public base::ByteSource {
  public:
    Counted(archive::Reader& reader, std::shared_ptr<WorkProgress> progress, std::uint64_t total)
        : reader_(reader), progress_(std::move(progress)), total_(total) {}
    Task<std::size_t> read(std::span<char> room) override {
        const auto amount = co_await reader_.read(room);
        progress_->set(reader_.so_far().bytes, total_);
        co_return amount;
    }

  private:
    archive::Reader& reader_;
    std::shared_ptr<WorkProgress> progress_;
    std::uint64_t total_;
};

// What the owner made of the project, under a new id and assigned to no workspace.
Project copy_of(Project project, std::optional<std::string> name, base::Time now) {
    project.id = base::ProjectId::generate();
    if (name) project.name = *name;
    project.workspace_id.reset();
    project.workspace_type.reset();
    project.volume_name.reset();
    project.volume_path.reset();
    project.created_at = now;
    project.updated_at = now;
    return project;
}

std::string name_of_copy(const std::string& name) {
    constexpr std::string_view kSuffix = " (copy)";
    constexpr std::size_t kLongest = 100;
    // Bytes, though names are counted in characters: shorter than need be, but never half a character.
    auto length = std::min(name.size(), kLongest - kSuffix.size());
    while (length < name.size() && length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80)
        --length;
    return name.substr(0, length) + std::string(kSuffix);
}

int restore_number(const std::string& volume, const std::string& prefix) {
    if (!volume.starts_with(prefix)) return 0;
    int number = 0;
    const auto digits = std::string_view(volume).substr(prefix.size());
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return ec == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

}  // namespace

Task<ProjectOperation> RestoreService::restore(base::UserId user, base::ProjectId project_id,
                                               base::BackupId id, std::optional<NewProject> as_new) {
    auto operation = t_.work.make(ProjectOperationKind::kRestore, project_id, user);
    operation.requested_by = user;
    operation.backup_id = id;
    const auto now = t_.clock.now();
    auto [backup, project, row] = co_await t_.store.write([=, quota = settings_.quota](Transaction& tx) {
        auto found = owned_backup(tx, user, project_id, id);
        require_complete(found);
        auto work = operation;
        std::optional<Project> target;
        if (as_new) {
            require_room_for_files(tx, user, quota);
            target = project_from(found.snapshot);
            if (!target) {
                throw base::conflict("restore_impossible",
                                     "What was recorded of the project is damaged; ask the operator.");
            }
            target = copy_of(std::move(*target), as_new->name, now);
            target->user_id = user;
            work.new_project_id = target->id;
        } else {
            target = owned_project(tx, user, project_id);
            require_project_free(tx, project_id, std::nullopt);
        }
        tx.project_operations().insert(work);
        return std::tuple(found, *target, work);
    });
    auto progress = std::make_shared<WorkProgress>();
    t_.work.begin(
        row, progress,
        as_new ? restore_as(row, backup, project, progress) : restore_into(row, backup, project, progress));
    co_return row;
}

Task<> RestoreService::restore_into(ProjectOperation operation, Backup backup, Project project,
                                    std::shared_ptr<WorkProgress> progress) {
    const auto file = t_.files.archive(backup);
    if (!co_await t_.files.has(backup)) co_await t_.files.open(file);  // says what is wrong
    progress->phase = "checking the archive";
    co_await archive::verify(t_.executor, file, backup.sha256, {});
    const auto volume = co_await make_volume(operation, co_await free_volume_name(project.id),
                                             {project.id, project.user_id, project.name});
    co_await unpack(file, volume.name, {}, static_cast<std::uint64_t>(backup.content_bytes), progress);
    progress->phase = "changing over";
    const auto now = t_.clock.now();
    const NewVolume next{volume.name, volume.path, now + settings_.trash_time};
    const auto touched = co_await t_.store.write([operation, next, now](Transaction& tx) {
        ProjectWork::succeed(tx, operation, now);
        auto row = tx.projects().find(operation.project_id);
        if (!row) {
            throw base::conflict("project_deleted",
                                 "The project was deleted meanwhile; restore the backup as a new project.");
        }
        auto tombstone = tx.tombstones().find_open_by_volume(next.name);
        if (!tombstone)
            throw base::conflict("volume_missing", "The new volume was removed meanwhile; try again.");
        tombstone->restored_at = now;
        tx.tombstones().update(*tombstone);
        return swap_volume(tx, std::move(*row), next, now);
    });
    // An operator's command may do this without a reconciler; the next server looks at everything.
    if (reconciler_.started()) {
        for (const auto& workspace : touched)
            reconciler_.desire_changed(workspace);
    }
    log::info("restored a project", {{"projectId", project.id.view()}, {"backupId", backup.id.view()}});
}

Task<> RestoreService::restore_as(ProjectOperation operation, Backup backup, Project project,
                                  std::shared_ptr<WorkProgress> progress) {
    const auto file = t_.files.archive(backup);
    if (!co_await t_.files.has(backup)) co_await t_.files.open(file);
    progress->phase = "checking the archive";
    co_await archive::verify(t_.executor, file, backup.sha256, {});
    const auto volume = co_await make_volume(operation, model::project_volume_name(project.id),
                                             {project.id, project.user_id, project.name});
    co_await unpack(file, volume.name, {}, static_cast<std::uint64_t>(backup.content_bytes), progress);
    co_await add_project(operation, project, volume);
}

Task<ProjectOperation> RestoreService::clone(base::UserId user, base::ProjectId id,
                                             std::optional<std::string> name) {
    auto operation = t_.work.make(ProjectOperationKind::kClone, id, user);
    operation.requested_by = user;
    const auto now = t_.clock.now();
    auto [source, project, row] = co_await t_.store.write([=, quota = settings_.quota](Transaction& tx) {
        auto from = owned_project(tx, user, id);
        require_room_for_files(tx, user, quota);
        auto to = copy_of(from, name ? name : name_of_copy(from.name), now);
        auto work = operation;
        work.new_project_id = to.id;
        tx.project_operations().insert(work);
        return std::tuple(from.volume_name, to, work);
    });
    auto progress = std::make_shared<WorkProgress>();
    t_.work.begin(row, progress, clone_into(row, source, project, progress));
    co_return row;
}

Task<> RestoreService::clone_into(ProjectOperation operation, std::optional<std::string> from,
                                  Project project, std::shared_ptr<WorkProgress> progress) {
    progress->phase = "copying";
    const auto volume = co_await make_volume(operation, model::project_volume_name(project.id),
                                             {project.id, project.user_id, project.name});
    // One that never had files is cloned without.
    if (from) co_await copy(*from, volume.name);
    co_await add_project(operation, project, volume);
}

Task<ProjectOperation> RestoreService::import(base::UserId user, std::string name, base::ByteSource& source) {
    const auto now = t_.clock.now();
    Project project{.id = base::ProjectId::generate(), .name = std::move(name), .user_id = user};
    project.language = "other";
    project.created_at = now;
    project.updated_at = now;
    // Before all of it has come.
    co_await t_.store.read(
        [user, quota = settings_.quota](Transaction& tx) { require_room_for_files(tx, user, quota); });
    const auto file = t_.files.scratch(project.id.str());
    co_await receive(file, source);
    auto operation = t_.work.make(ProjectOperationKind::kImport, project.id, user);
    operation.requested_by = user;
    operation.new_project_id = project.id;
    co_await t_.store.write([operation](Transaction& tx) { tx.project_operations().insert(operation); });
    auto progress = std::make_shared<WorkProgress>();
    t_.work.begin(operation, progress, import_into(operation, file, project, progress));
    co_return operation;
}

Task<> RestoreService::receive(std::filesystem::path path, base::ByteSource& source) {
    std::exception_ptr failure;
    try {
        const auto file = co_await t_.files.create_scratch(path);
        for (;;) {
            std::string piece(kPiece, '\0');
            piece.resize(co_await source.read(piece));
            if (piece.empty()) break;
            if (file->size() + piece.size() > settings_.import_limit_bytes) {
                throw Error(ErrorCode::kTooLarge, "import_too_large",
                            "The archive is larger than this server takes; its operator can raise "
                            "backups.importLimit.");
            }
            co_await t_.files.write(file, std::move(piece));
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    if (base::is_cancellation(failure))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await t_.files.remove_scratch(path);
    std::rethrow_exception(failure);
}

archive::Limits RestoreService::import_limits() const {
    archive::Limits limits;
    limits.bytes = settings_.import_limit_bytes;
    return limits;
}

Task<> RestoreService::import_into(ProjectOperation operation, std::filesystem::path file, Project project,
                                   std::shared_ptr<WorkProgress> progress) {
    std::exception_ptr failure;
    try {
        progress->phase = "checking the archive";
        const auto contents = co_await archive::verify(t_.executor, file, std::nullopt, import_limits());
        const auto volume = co_await make_volume(operation, model::project_volume_name(project.id),
                                                 {project.id, project.user_id, project.name});
        co_await unpack(file, volume.name, import_limits(), contents.bytes, progress);
        co_await add_project(operation, project, volume);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && base::is_cancellation(failure))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await t_.files.remove_scratch(file);
    if (failure) std::rethrow_exception(failure);
}

// Names are never used twice: a tombstone stays as the record of each. One that is on the engine without a
// record (the database is an older copy) may hold files, and is left alone.
Task<std::string> RestoreService::free_volume_name(base::ProjectId project) {
    const auto prefix = model::project_volume_name(project) + "-r";
    auto number = co_await t_.store.read([project, prefix](Transaction& tx) {
        int last = 0;
        for (const auto& each : tx.tombstones().of_owner(project.str()))
            last = std::max(last, restore_number(each.volume_name, prefix));
        const auto row = tx.projects().find(project);
        if (row && row->volume_name) last = std::max(last, restore_number(*row->volume_name, prefix));
        return last + 1;
    });
    while (co_await t_.runtime.find_volume(prefix + std::to_string(number)))
        ++number;
    co_return prefix + std::to_string(number);
}

Task<runtime::Volume> RestoreService::make_volume(ProjectOperation operation, std::string name,
                                                  Target target) {
    const auto now = t_.clock.now();
    co_await t_.store.write([operation, name, target, now](Transaction& tx) {
        auto row = ProjectWork::require_open(tx, operation);
        row.volume_name = name;
        tx.project_operations().update(row);
        model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = target.user};
        tombstone.kind = model::VolumeKind::kUnfinished;
        tombstone.volume_name = name;
        tombstone.owner_id = target.project.str();
        tombstone.owner_name = target.name;
        tombstone.deleted_at = now;
        tombstone.purge_after = kNever;
        tx.tombstones().insert(tombstone);
    });
    co_return co_await t_.runtime.ensure_volume(
        {.name = name, .project_id = target.project, .workspace_id = {}, .user_id = target.user});
}

Task<> RestoreService::unpack(std::filesystem::path file, std::string volume, archive::Limits limits,
                              std::uint64_t bytes, std::shared_ptr<WorkProgress> progress) {
    progress->phase = "unpacking";
    archive::Reader reader(t_.executor, std::move(file), limits);
    Counted counted(reader, progress, bytes);
    co_await t_.volumes.write_volume(std::move(volume), counted);
    progress->percent.reset();
}

Task<> RestoreService::copy(std::string from, std::string to) {
    base::Pipe pipe(t_.executor);
    auto [order, read_failure, write_failure] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(t_.executor, base::contained(read_into(std::move(from), pipe)), asio::deferred),
            asio::co_spawn(t_.executor, base::contained(write_from(std::move(to), pipe)), asio::deferred))
            .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    // The first to fail says why; the other only heard of it.
    const auto& first = order[0] == 0 ? read_failure : write_failure;
    const auto& second = order[0] == 0 ? write_failure : read_failure;
    if (first) std::rethrow_exception(first);
    if (second) std::rethrow_exception(second);
}

Task<> RestoreService::read_into(std::string volume, base::Pipe& pipe) {
    std::exception_ptr failure;
    try {
        co_await t_.volumes.read_volume(std::move(volume), "", pipe);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return pipe.finish();
    pipe.fail(failure);
    std::rethrow_exception(failure);
}

Task<> RestoreService::write_from(std::string volume, base::Pipe& pipe) {
    std::exception_ptr failure;
    try {
        co_await t_.volumes.write_volume(std::move(volume), pipe);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    pipe.fail(failure);
    std::rethrow_exception(failure);
}

Task<> RestoreService::add_project(ProjectOperation operation, Project project, runtime::Volume volume) {
    const auto now = t_.clock.now();
    project.volume_name = volume.name;
    project.volume_path = volume.path;
    co_await t_.store.write([operation, project, now](Transaction& tx) {
        ProjectWork::succeed(tx, operation, now);
        auto tombstone = tx.tombstones().find_open_by_volume(*project.volume_name);
        if (!tombstone)
            throw base::conflict("volume_missing", "The new volume was removed meanwhile; try again.");
        tombstone->restored_at = now;
        tx.tombstones().update(*tombstone);
        tx.projects().insert(project);
    });
    log::info("made a project from files",
              {{"projectId", project.id.view()}, {"operation", model::to_text(operation.kind)}});
}

Task<Project> RestoreService::result(base::UserId user, ProjectOperation operation) {
    const auto id = operation.new_project_id.value_or(operation.project_id);
    co_return co_await t_.store.read([=](Transaction& tx) { return owned_project(tx, user, id); });
}

}  // namespace agentdb9::services
