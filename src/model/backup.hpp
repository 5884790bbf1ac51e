// Backups of projects, and what is done with a project's files as a whole. Plain data; any thread.
#pragma once

#include "model/entities.hpp"

namespace agentdb9::model {

using base::BackupId;

enum class ProjectOperationKind { kBackup, kRestore, kClone, kImport };

// One recorded piece of work on a project's files, and how far it has come. It belongs to the server that
// does it, which says so again and again: one that has fallen silent is dead, and what it had begun has
// failed.
struct ProjectOperation {
    OperationId id;
    ProjectId project_id;  // whose files it reads or replaces; of an import: the new project
    UserId user_id;
    ProjectOperationKind kind = ProjectOperationKind::kBackup;
    OperationState state = OperationState::kPending;
    std::string phase;            // what it is doing, in words
    std::optional<int> progress;  // percent, where it can be told
    std::optional<std::string> error_code;
    std::optional<std::string> error;    // a sentence: why, and what to do
    std::optional<UserId> requested_by;  // absent: the server itself, on its schedule
    std::optional<BackupId> backup_id;   // what it makes or restores
    std::optional<ProjectId> new_project_id;
    std::optional<std::string>
        volume_name;  // that it fills; a tombstone stands for it until it has succeeded
    std::string server;
    Time renewed_at;
    // The project's instances stay paused until then, at the longest, and no server resumes them.
    std::optional<Time> frozen_until;
    Time created_at;
    std::optional<Time> started_at;
    std::optional<Time> finished_at;
};

enum class BackupState { kRunning, kComplete, kFailed, kDeleting };

// It outlives its project, and holds what is needed to make that again.
struct Backup {
    BackupId id;
    ProjectId project_id;
    UserId user_id;
    std::string project_name;
    std::optional<std::string> name;
    BackupState state = BackupState::kRunning;
    std::string file;  // below the backups' directory; empty: there is none (any more)
    std::int64_t size_bytes = 0;
    std::int64_t content_bytes = 0;
    std::int64_t files = 0;
    std::string sha256;
    bool consistent = false;  // nothing ran on the volume while it was copied, or it was paused
    bool scheduled = false;
    json::object snapshot;  // the project's row
    Time created_at;
    std::optional<Time> finished_at;
    std::optional<std::string> error;
};

std::string_view to_text(ProjectOperationKind value);
std::string_view to_text(BackupState value);
template <>
std::optional<ProjectOperationKind> enum_from_text(std::string_view text);
template <>
std::optional<BackupState> enum_from_text(std::string_view text);

}  // namespace agentdb9::model
