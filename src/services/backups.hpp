// Backups of projects: made, listed, deleted. What becomes of them is restores.hpp's. Control executor.
// Throws Error{kNotFound} for what is not the user's; a project that was deleted is known by its backups.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "archive/archive_file.hpp"
#include "runtime/runtime.hpp"
#include "runtime/volume_files.hpp"
#include "services/backup_files.hpp"
#include "services/freeze.hpp"
#include "services/project_work.hpp"

namespace agentdb9::services {

struct BackupRequest {
    std::optional<std::string> name;
    bool pause = false;  // freeze what runs on the project meanwhile
    bool scheduled = false;
};

// What services that move projects' files around work with. All outlive them.
struct ProjectTools {
    asio::any_io_executor executor;
    base::Clock& clock;
    store::Store& store;
    runtime::Runtime& runtime;
    runtime::VolumeFiles& volumes;
    BackupFiles& files;
    ProjectWork& work;
};

class BackupService {
  public:
    explicit BackupService(const ProjectTools& tools) : t_(tools) {}

    struct Begun {
        model::Backup backup;
        model::ProjectOperation operation;
    };
    // kConflict "project_busy" while a backup or restore of the project is under way, "project_has_no_volume"
    // when it has never had files.
    Task<Begun> create(base::UserId user, base::ProjectId project, BackupRequest request);

    // Throws kNotFound unless the project is the user's, or was.
    Task<> require_known(base::UserId user, base::ProjectId project);
    Task<store::Listing<model::Backup>> list(base::UserId user, base::ProjectId project, store::Page page);
    Task<store::Listing<model::Backup>> list_all(base::UserId user, store::Page page);
    Task<model::Backup> find(base::UserId user, base::ProjectId project, base::BackupId id);
    Task<store::Listing<model::ProjectOperation>> operations(base::UserId user, base::ProjectId project,
                                                             store::Page page);
    // A complete one's file. kConflict "backup_not_complete", "backup_missing".
    Task<std::shared_ptr<BackupFiles::File>> open(model::Backup backup);

    // kConflict "backup_in_use" while it is being made or restored.
    Task<> remove(base::UserId user, base::ProjectId project, base::BackupId id);
    // Removes what deletions and failures have left behind.
    Task<> sweep();

  private:
    Task<> back_up(model::Backup backup, model::ProjectOperation operation, std::string volume, bool pause,
                   std::shared_ptr<WorkProgress> progress);
    // Whether it is the volume's state of one moment.
    Task<bool> copy(model::Backup backup, model::ProjectOperation operation, std::string volume, bool pause,
                    archive::Writer& writer, std::shared_ptr<WorkProgress> progress);
    Task<bool> is_quiet(base::ProjectId project, std::string volume, std::optional<base::Time> since);
    Task<> discard(model::Backup backup);

    ProjectTools t_;
};

// In a transaction. Throws kNotFound unless the project is the user's, or was.
void require_known_project(store::Transaction& tx, const base::UserId& user, const base::ProjectId& project);
model::Backup owned_backup(store::Transaction& tx, const base::UserId& user, const base::ProjectId& project,
                           const base::BackupId& id);
// Throws kConflict "backup_not_complete".
void require_complete(const model::Backup& backup);

}  // namespace agentdb9::services
