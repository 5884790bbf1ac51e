// What administrators see of everybody's: rows of lists, and the installation in numbers. Plain values; any
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/entities.hpp"
#include "model/quota.hpp"

namespace agentdb9::model {

// What is looked for; what is absent does not matter.
struct UserFilter {
    std::optional<std::string> text;  // an id, or part of the address or a name, in whatever case
    std::optional<Role> role;
    std::optional<bool> active;
};

struct UserSummary {
    User user;
    // Those that are being deleted are not counted.
    std::int64_t workspaces = 0;
    std::int64_t running = 0;  // or are to
    std::int64_t projects = 0;
    Quota quota;                               // that was set for this one
    std::optional<std::int64_t> volume_bytes;  // absent: not measured yet
    // The latest sign-in, renewal of a session or written use of an API token.
    std::optional<Time> last_seen_at;
};

struct WorkspaceFilter {
    std::optional<UserId> user;
    std::optional<std::string> type;
    std::optional<WorkspaceStatus> status;
};

struct WorkspaceSummary {
    Workspace workspace;
    std::optional<std::string> user_email;  // absent: of an account that is gone
};

// Workspaces that are alike in what is counted.
struct WorkspaceCount {
    std::string type;
    WorkspaceStatus status = WorkspaceStatus::kActive;
    DesiredState desired_state = DesiredState::kStopped;
    std::int64_t count = 0;
};
// Those that run, or are to, with the same limits.
struct RunningCount {
    std::string type;
    SomeLimits limits;
    std::int64_t count = 0;
};
struct OperationCount {
    OperationKind kind = OperationKind::kStart;
    OperationState state = OperationState::kPending;
    std::int64_t count = 0;
};
struct FailedOperation {
    Operation operation;
    std::optional<std::string> workspace_name;  // absent: it is gone
    std::optional<std::string> user_email;
};

struct InstallationNumbers {
    std::int64_t users = 0;
    std::int64_t active_users = 0;
    std::int64_t admins = 0;  // active ones
    std::vector<WorkspaceCount> workspaces;
    std::vector<RunningCount> running;
    std::vector<OperationCount> ended;  // since the time that was asked for
    std::vector<OperationCount> open;
    std::vector<FailedOperation> failed;  // the latest of these, the newest first
    std::int64_t projects = 0;
    std::int64_t project_volumes = 0;
    std::int64_t homes = 0;
    std::int64_t trash = 0;
    std::int64_t volume_bytes = 0;               // as far as measured
    std::map<std::string, std::int64_t> leases;  // by the server that works on the workspaces
};

}  // namespace agentdb9::model
