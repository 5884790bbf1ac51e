// From an archive, an upload or another project to a project's volume. What is filled is always a new volume,
// for which a tombstone stands until one transaction makes it the project's: a crash or failure anywhere
// leaves every project as it was, and the half-filled volume goes. Control executor.
#pragma once

#include <optional>
#include <string>

#include "base/pipe.hpp"
#include "services/backups.hpp"
#include "services/reconciler.hpp"

namespace agentdb9::services {

struct RestoreSettings {
    std::chrono::days trash_time{7};
    std::uint64_t import_limit_bytes = std::uint64_t{20} << 30;  // of an upload, and of what is in it
    model::Quota quota{};                                        // of each user for whom there is no other
};

class RestoreService {
  public:
    RestoreService(const ProjectTools& tools, Reconciler& reconciler, RestoreSettings settings)
        : t_(tools), reconciler_(reconciler), settings_(settings) {}

    struct NewProject {
        std::optional<std::string> name;  // absent: the old one's
    };
    // Into the project itself, whose present volume goes into the trash, or into a new one. kConflict
    // "project_in_use" while a workspace runs with the project. All that make a new project: kForbidden
    // "quota_exceeded" for whoever has more files than they may.
    Task<model::ProjectOperation> restore(base::UserId user, base::ProjectId project, base::BackupId backup,
                                          std::optional<NewProject> as_new);
    Task<model::ProjectOperation> clone(base::UserId user, base::ProjectId project,
                                        std::optional<std::string> name);
    // Takes the whole archive in before it returns. `source` lives until then. kTooLarge "import_too_large".
    Task<model::ProjectOperation> import(base::UserId user, std::string name, base::ByteSource& source);

    // The project that an operation which has succeeded brought about or changed.
    Task<model::Project> result(base::UserId user, model::ProjectOperation operation);

  private:
    struct Target {
        base::ProjectId project;  // as the volume's label says it
        base::UserId user;
        std::string name;  // of the project, for people
    };

    Task<> restore_into(model::ProjectOperation operation, model::Backup backup, model::Project project,
                        std::shared_ptr<WorkProgress> progress);
    Task<> restore_as(model::ProjectOperation operation, model::Backup backup, model::Project project,
                      std::shared_ptr<WorkProgress> progress);
    Task<> clone_into(model::ProjectOperation operation, std::optional<std::string> volume,
                      model::Project project, std::shared_ptr<WorkProgress> progress);
    Task<> import_into(model::ProjectOperation operation, std::filesystem::path file, model::Project project,
                       std::shared_ptr<WorkProgress> progress);

    Task<runtime::Volume> make_volume(model::ProjectOperation operation, std::string name, Target target);
    Task<std::string> free_volume_name(base::ProjectId project);
    Task<> unpack(std::filesystem::path file, std::string volume, archive::Limits limits, std::uint64_t bytes,
                  std::shared_ptr<WorkProgress> progress);
    Task<> copy(std::string from, std::string to);
    Task<> read_into(std::string volume, base::Pipe& pipe);
    Task<> write_from(std::string volume, base::Pipe& pipe);
    Task<> add_project(model::ProjectOperation operation, model::Project project, runtime::Volume volume);
    Task<> receive(std::filesystem::path file, base::ByteSource& source);
    archive::Limits import_limits() const;

    ProjectTools t_;
    Reconciler& reconciler_;
    RestoreSettings settings_;
};

}  // namespace agentdb9::services
