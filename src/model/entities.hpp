// The rows of the catalogue as values: users, projects, workspaces, operations and what hangs on them
// (DESIGN: the words). Plain data, no invariants of their own; the rules stand in rules.hpp and plan.hpp.
// Safe on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "model/limits.hpp"
#include "model/token_scope.hpp"

namespace agentdb9::model {

using base::ApiTokenId;
using base::InstallationId;
using base::OperationId;
using base::ProjectId;
using base::SessionId;
using base::Time;
using base::TombstoneId;
using base::UserId;
using base::WorkspaceId;

enum class Role { kUser, kAdmin };

struct User {
    UserId id;
    std::string email;  // lower case
    std::string username;
    std::string password_hash;  // argon2id, or bcrypt until the next login
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
    bool is_active = true;
    Role role = Role::kUser;
    json::object preferences;
    std::optional<Time> last_login_at;
    Time created_at;
    Time updated_at;
};

struct Project {
    ProjectId id;
    std::string name;
    std::optional<std::string> description;
    UserId user_id;
    std::optional<std::string> repository_url;
    std::optional<std::string> local_path;
    std::optional<std::string> framework;
    std::string language;
    std::string status = "active";
    json::array agents;
    std::optional<WorkspaceId> workspace_id;  // the workspace that it is assigned to
    std::optional<std::string> workspace_type;
    std::optional<std::string> volume_path;
    std::optional<std::string> volume_name;
    Time created_at;
    Time updated_at;
};

// What a client sees as `status`. The persisted column of existing installations.
enum class WorkspaceStatus { kActive, kInactive, kArchived, kRunning, kStopped, kError };
inline constexpr std::size_t kWorkspaceStatusCount = 6;

// What the user asked for.
enum class DesiredState { kStopped, kRunning, kDeleted };

// Where the workspace is on its way. Persisted at every resting point; between these the reconciler tells.
enum class Phase {
    kStopped,
    kQueued,
    kPulling,
    kCreating,
    kStarting,
    kProbing,
    kRunning,
    kSwitching,
    kStopping,
    kDeleting,
    kFailed,
};

struct Workspace {
    WorkspaceId id;
    std::string name;
    std::optional<std::string> description;
    UserId user_id;
    std::string type;
    std::optional<ProjectId> current_project_id;
    json::object config;  // the type's entry when the workspace was created
    WorkspaceStatus status = WorkspaceStatus::kActive;
    std::optional<std::string> container_name;
    std::optional<std::string> volume_name;  // its home, when its type keeps one
    bool is_default = false;
    Time created_at;
    Time updated_at;

    DesiredState desired_state = DesiredState::kStopped;
    Phase phase = Phase::kStopped;
    // The generation that serves, or would; and the highest ever given out, so that none is used twice.
    std::int64_t generation = 0;
    std::int64_t last_generation = 0;
    // A replacement on its way (restart, switch): it takes over when it is ready.
    std::optional<std::int64_t> next_generation;
    std::optional<ProjectId> next_project_id;
    std::optional<std::string> last_error;
    // Requests wait on every server: the serving instance is about to be stopped for its replacement.
    bool held = false;
    // A request for its application may start it.
    bool wake_on_request = false;
    // What the server did by itself for an application that did not answer, since somebody asked for the
    // workspace.
    int restarts = 0;
    std::optional<Time> restarted_at;
    std::optional<Time> unhealthy_since;
    // When it is stopped for want of use; absent: as its type says. 0: never.
    std::optional<int> idle_stop_minutes;
    std::optional<Time> keep_alive_until;  // somebody asked for that
    std::optional<Time> idle_warned_at;
    // When it is started and stopped by the clock (model/schedule.hpp), and up to when that was done.
    std::optional<json::object> schedule;
    std::optional<Time> schedule_seen_at;
    SomeLimits limits;  // that its user set; the rest is as its type has it
    // What its container had before it was given less memory and may have still: a quota counts that.
    std::optional<std::int64_t> memory_held_mb;
};

enum class OperationKind { kStart, kStop, kRestart, kSwitch, kDelete, kRecover };
enum class OperationState { kPending, kRunning, kSucceeded, kFailed, kSuperseded };

// Where a start stands in the line of those that wait.
struct QueuePlace {
    std::int64_t position = 1;  // 1: the next one
    std::int64_t of = 1;
    std::string reason;  // a sentence: what it waits for
};

struct Operation {
    OperationId id;
    WorkspaceId workspace_id;
    OperationKind kind = OperationKind::kStart;
    OperationState state = OperationState::kPending;
    std::string phase;            // the last phase it was seen in
    std::optional<int> progress;  // percent, where it can be told
    std::optional<std::string> error_code;
    std::optional<std::string> error;     // a sentence: why, and what to do
    std::optional<UserId> requested_by;   // absent: the server itself
    std::optional<ProjectId> project_id;  // what a switch goes to
    bool force = false;
    Time created_at;
    std::optional<Time> started_at;
    std::optional<Time> finished_at;
    std::optional<QueuePlace> queue;  // as it is just now; not kept
};

struct Session {
    SessionId id;
    UserId user_id;
    std::string refresh_hash;                          // SHA-256 of the current refresh token
    std::optional<std::string> previous_refresh_hash;  // its predecessor: seen again, the session is stolen
    std::string address;
    std::string user_agent;
    Time created_at;
    Time last_used_at;
    Time expires_at;
    std::optional<Time> revoked_at;
};

struct ApiToken {
    ApiTokenId id;
    UserId user_id;
    std::string name;
    std::string token_hash;  // SHA-256 of the whole token
    std::string hint;        // its first characters, to tell it apart
    Time created_at;
    std::optional<Time> expires_at;
    std::optional<Time> last_used_at;
    std::optional<Time> revoked_at;
    // What it may do; never changes.
    TokenPower power = TokenPower::kFull;
    std::optional<WorkspaceId> workspace_id = {};

    TokenScope scope() const { return {power, workspace_id}; }
};

// A one-use permission to open an application in a browser.
struct ProxyTicket {
    std::string ticket_hash;
    UserId user_id;
    std::optional<SessionId> session_id;  // absent when an API token asked for it
    std::optional<ApiTokenId> api_token_id;
    WorkspaceId workspace_id;
    int port = 0;
    Time expires_at;
};

// A volume in the trash. Only a tombstone allows a volume's removal, and only when its time is over.
enum class VolumeKind {
    kProject,     // of a project that was deleted
    kHome,        // of a workspace that was deleted
    kReplaced,    // what a project had before it was restored from a backup; the project is still there
    kUnfinished,  // being filled from a backup, an upload or another project; nobody's yet
};
struct Tombstone {
    TombstoneId id;
    VolumeKind kind = VolumeKind::kProject;
    std::string volume_name;
    UserId user_id;
    std::string owner_id;    // the project's or the workspace's id, as the volume's label says it
    std::string owner_name;  // what it was called
    json::object snapshot;   // the deleted row, so that a restore brings it back whole
    Time deleted_at;
    Time purge_after;
    std::optional<Time> restored_at;
    std::optional<Time> purging_since;  // its removal has begun: it cannot be restored any more
    std::optional<Time> purged_at;
};

// Something on the runtime that an earlier installation made: it is treated as if it carried our labels.
enum class AdoptionKind { kVolume, kInstance };
struct Adoption {
    std::string runtime_id;  // a volume's name; an instance's id
    AdoptionKind kind = AdoptionKind::kVolume;
    std::string owner_id;         // the project's or the workspace's id
    std::int64_t generation = 0;  // that an instance counts as
    Time adopted_at;
};

std::string_view to_text(Role value);
std::string_view to_text(WorkspaceStatus value);
std::string_view to_text(DesiredState value);
std::string_view to_text(Phase value);
std::string_view to_text(OperationKind value);
std::string_view to_text(OperationState value);
std::string_view to_text(VolumeKind value);
std::string_view to_text(AdoptionKind value);
std::string_view to_text(TokenPower value);

// Absent for a text that names no enumerator.
template <class Enum>
std::optional<Enum> enum_from_text(std::string_view text);
template <>
std::optional<Role> enum_from_text(std::string_view text);
template <>
std::optional<WorkspaceStatus> enum_from_text(std::string_view text);
template <>
std::optional<DesiredState> enum_from_text(std::string_view text);
template <>
std::optional<Phase> enum_from_text(std::string_view text);
template <>
std::optional<OperationKind> enum_from_text(std::string_view text);
template <>
std::optional<OperationState> enum_from_text(std::string_view text);
template <>
std::optional<VolumeKind> enum_from_text(std::string_view text);
template <>
std::optional<AdoptionKind> enum_from_text(std::string_view text);
template <>
std::optional<TokenPower> enum_from_text(std::string_view text);

bool is_open(OperationState state);  // pending or running

}  // namespace agentdb9::model
