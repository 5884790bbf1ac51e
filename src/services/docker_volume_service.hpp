// Projects' volumes and the trash. A volume is removed in one place only, cleanup_orphaned_volumes(): when
// this database has a tombstone for it, the tombstone's time is over, the volume carries this installation's
// label and the tombstone's owner, and purging is not paused. Control executor.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct VolumeInfo {
    std::string name;
    std::optional<std::string> path;
    bool exists = false;         // the engine has it
    bool engine_answers = true;  // false: `exists` is not known
};

class DockerVolumeService {
  public:
    DockerVolumeService(base::Clock& clock, store::Store& store, runtime::Runtime& runtime,
                        std::chrono::days trash_time = std::chrono::days(7), model::Quota quota = {})
        : clock_(clock), store_(store), runtime_(runtime), trash_time_(trash_time), quota_(quota) {}

    // Told of workspaces whose stopped instances refer to a volume that is not their project's any more.
    void on_left_behind(std::function<void(const base::WorkspaceId&)> tell) {
        left_behind_ = std::move(tell);
    }

    // Makes the project's volume and records it in the row; does nothing when it is recorded already. Throws
    // what the runtime throws.
    Task<model::Project> create_project_volume(model::Project project);
    // The same, but an engine that does not answer is no error: the volume is made at the first start.
    Task<model::Project> ensure_project_volume(model::Project project);
    // All of this installation.
    Task<std::vector<runtime::Volume>> list_project_volumes();
    Task<VolumeInfo> volume_info(base::UserId user, base::ProjectId project);

    // The trash: of one user, or, for the operator, of all, with what is just being filled.
    Task<std::vector<model::Tombstone>> trash(std::optional<base::UserId> user);
    // What lies in the trash under this id of a tombstone, or name of a volume. kNotFound.
    Task<model::Tombstone> find_in_trash(std::string id_or_volume);
    // Brings the project, or the workspace with its home, back; or gives a project the volume back that it
    // had before a restore, whose own then lies in the trash. kConflict "already_restored" when it is there
    // again, "volume_being_purged" when it is too late, "project_in_use"; for a user's own workspace
    // kForbidden "quota_exceeded". Returns the workspace that came back, if it was one.
    Task<std::optional<model::Workspace>> restore(std::optional<base::UserId> user, base::TombstoneId id);
    // Removes the volume now. The owner's explicit wish; nothing brings it back. kConflict "volume_in_use"
    // for one that is being filled.
    Task<> purge(std::optional<base::UserId> user, base::TombstoneId id);

    // What lies in the trash longer than its time, or whose removal has begun.
    Task<std::vector<model::Tombstone>> overdue();
    struct CleanUp {
        struct Kept {
            model::Tombstone tombstone;
            std::string why;  // a sentence
        };
        std::vector<model::Tombstone> removed;
        std::vector<Kept> kept;
    };
    // Removes all that is overdue; nothing while purging is paused.
    Task<CleanUp> clean_up();
    // The same; returns the names of the volumes removed.
    Task<std::vector<std::string>> cleanup_orphaned_volumes();

    // Notes that the server runs. A gap since the last note, or a clock that went back, pauses purging until
    // an admin says that this database is the right one: one restored from an old copy must not purge.
    Task<> heartbeat();
    Task<std::optional<base::Time>> last_heartbeat();
    Task<std::optional<std::string>> purge_paused_because();
    Task<> resume_purge();

  private:
    Task<> remove_volume_of(model::Tombstone tombstone);
    Task<model::Tombstone> claim(model::Tombstone tombstone);
    Task<> give_up(model::Tombstone claimed);
    Task<> tell_users_of(std::string volume);
    Task<> remove_ours(model::Tombstone tombstone);
    Task<model::Tombstone> find_open(std::optional<base::UserId> user, base::TombstoneId id);

    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    std::chrono::days trash_time_;
    model::Quota quota_;  // of each user, where the operator set none for that one
    std::function<void(const base::WorkspaceId&)> left_behind_ = [](const base::WorkspaceId&) {};
    const base::Time began_ = clock_.now();
};

}  // namespace agentdb9::services
