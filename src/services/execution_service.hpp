// Commands in workspaces: who may run one, how many at once, and what ends them all. Control executor.
#pragma once

#include <memory>
#include <unordered_map>

#include "services/activity_source.hpp"
#include "services/instance_finder.hpp"
#include "services/pending_start.hpp"
#include "services/running_command.hpp"

namespace agentdb9::services {

struct ExecutionLimits {
    std::size_t per_workspace = 8;
    std::size_t per_user = 32;
    base::Duration default_time = std::chrono::minutes(1);
    base::Duration longest_time = std::chrono::hours(1);
};

// Who reads a command; it is ended a moment after this has gone.
class CommandReader {
  public:
    explicit CommandReader(std::shared_ptr<RunningCommand> command)
        : command_(std::move(command)), presence_(command_->presence()) {}

    Task<> begun() { return command_->begun(); }
    Task<std::optional<CommandOutput>> next() { return command_->next(); }
    const CommandEnd& how_it_ended() const { return command_->how_it_ended(); }

  private:
    std::shared_ptr<RunningCommand> command_;
    std::shared_ptr<const void> presence_;
};

class ExecutionService final : public ActivitySource {
  public:
    ExecutionService(asio::any_io_executor executor, base::Clock& clock, runtime::Executions& executions,
                     const InstanceFinder& finder, ExecutionLimits limits);

    const ExecutionLimits& limits() const { return limits_; }

    // Who is about to run one, right after their permission was checked.
    PendingStart pending(auth::Principal principal) { return pending_.add(std::move(principal)); }
    // Returns once the command has begun. Throws kNotFound for what is not the user's, kConflict
    // "workspace_not_running", "workspace_paused", "no_shell" or "no_input", kRateLimited
    // "too_many_executions", kInvalid for a directory that is not there, kUnavailable "shutting_down" or
    // "runtime_unavailable", kTimeout, kUnauthenticated where the permission has ended meanwhile.
    Task<std::shared_ptr<CommandReader>> run(PendingStart who, base::WorkspaceId workspace,
                                             CommandRequest request);

    // What is running, for those who ask whether a workspace is in use.
    std::size_t running(const base::WorkspaceId& workspace) const;
    std::size_t running() const { return commands_.size(); }
    // While one runs it is in use; a short one was when it began.
    std::string_view name() const override { return "execution"; }
    std::optional<base::Time> last_activity(const base::WorkspaceId& workspace) const override;

    // Whose permission has ended.
    void revoke(const auth::Revocation& revocation);
    // Something of the workspace has changed: what runs in another instance than the one that serves ends.
    void changed(const base::WorkspaceId& workspace);

    // Everything ends, and no new ones come.
    void finish();
    // The same, and waits for it, some seconds at most.
    Task<> stop();

  private:
    void forget_deleted(const base::WorkspaceId& workspace);
    void require_room(const base::WorkspaceId& workspace, const base::UserId& user) const;

    asio::any_io_executor executor_;
    base::Clock& clock_;
    runtime::Executions& executions_;
    const InstanceFinder& finder_;
    ExecutionLimits limits_;
    PendingStarts pending_;
    bool finished_ = false;
    base::Signal one_ended_;
    std::unordered_map<const RunningCommand*, std::shared_ptr<RunningCommand>> commands_;
    std::unordered_map<base::WorkspaceId, base::Time> begun_at_;  // the last one
    base::Scope scope_;
};

}  // namespace agentdb9::services
