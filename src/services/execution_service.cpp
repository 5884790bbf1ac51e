#include "services/execution_service.hpp"

#include <algorithm>

#include "services/feed.hpp"
#include "services/running_instance.hpp"

namespace agentdb9::services {
namespace {

// For commands to end when the server does.
constexpr base::Duration kLastMoment{8000};
constexpr base::Duration kLook{100};

base::Error too_many(std::string_view whose, std::size_t running, std::size_t most) {
    return base::Error(base::ErrorCode::kRateLimited, "too_many_executions",
                       std::to_string(running) + " commands are running " + std::string(whose) + ", and " +
                           std::to_string(most) +
                           " may at once. Wait until one has ended, or end one, and try again.")
        .with_retry_after(2);
}

}  // namespace

ExecutionService::ExecutionService(asio::any_io_executor executor, base::Clock& clock,
                                   runtime::Executions& executions, const InstanceFinder& finder,
                                   ExecutionLimits limits)
    : executor_(executor),
      clock_(clock),
      executions_(executions),
      finder_(finder),
      limits_(limits),
      one_ended_(executor),
      scope_(std::move(executor)) {}

std::size_t ExecutionService::running(const base::WorkspaceId& workspace) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        commands_, [&](const auto& each) { return each.second->facts().workspace == workspace; }));
}

std::optional<base::Time> ExecutionService::last_activity(const base::WorkspaceId& workspace) const {
    if (running(workspace) > 0) return clock_.now();
    const auto found = begun_at_.find(workspace);
    return found == begun_at_.end() ? std::nullopt : std::optional(found->second);
}

void ExecutionService::require_room(const base::WorkspaceId& workspace, const base::UserId& user) const {
    if (const auto here = running(workspace); here >= limits_.per_workspace)
        throw too_many("in this workspace", here, limits_.per_workspace);
    const auto theirs = static_cast<std::size_t>(std::ranges::count_if(
        commands_, [&](const auto& each) { return each.second->facts().principal.user == user; }));
    if (theirs >= limits_.per_user) throw too_many("in your workspaces", theirs, limits_.per_user);
}

Task<std::shared_ptr<CommandReader>> ExecutionService::run(PendingStart who, base::WorkspaceId workspace,
                                                           CommandRequest request) {
    const auto user = who.principal().user;
    auto instance = co_await running_instance(finder_, user, workspace);
    // Nothing below waits until it is counted.
    if (finished_) throw shutting_down();
    who.require_permission();
    require_room(workspace, user);
    auto command = std::make_shared<RunningCommand>(
        executor_, clock_, executions_,
        RunningCommand::Facts{.workspace = workspace,
                              .principal = who.principal(),
                              .instance = instance,
                              .instance_is_gone =
                                  [this, workspace, instance] {
                                      return instance_is_gone(clock_, finder_, workspace, instance);
                                  }},
        std::move(request));
    auto reader = std::make_shared<CommandReader>(command);
    commands_.emplace(command.get(), command);
    begun_at_[workspace] = clock_.now();
    scope_.spawn("run a command", [](ExecutionService& self, std::shared_ptr<RunningCommand> one) -> Task<> {
        std::exception_ptr failure;
        try {
            co_await one->run(self.scope_);
        } catch (...) {
            failure = std::current_exception();
        }
        self.commands_.erase(one.get());
        self.forget_deleted(one->facts().workspace);
        self.one_ended_.notify_all();
        if (failure) std::rethrow_exception(failure);
    }(*this, command));
    std::optional<base::Error> failure;
    try {
        co_await reader->begun();
    } catch (const base::Error& error) {
        failure = error;
    }
    if (failure) throw as_workspaces(*failure);
    co_return reader;
}

void ExecutionService::revoke(const auth::Revocation& revocation) {
    pending_.revoke(revocation);
    for (const auto& [key, command] : commands_)
        if (revocation.covers(command->facts().principal)) command->end(CommandEnding::kSignedOut);
}

void ExecutionService::changed(const base::WorkspaceId& workspace) {
    forget_deleted(workspace);
    const auto serving = finder_.serving(workspace);
    for (const auto& [key, command] : commands_) {
        const auto& facts = command->facts();
        // Where nothing serves it may be held for a moment; what stops takes its commands with it.
        if (facts.workspace == workspace && !serving.empty() && serving != facts.instance)
            command->end(CommandEnding::kWorkspaceStopped);
    }
}

void ExecutionService::forget_deleted(const base::WorkspaceId& workspace) {
    if (!finder_.is_there(workspace)) begun_at_.erase(workspace);
}

void ExecutionService::finish() {
    finished_ = true;
    for (const auto& [key, command] : commands_)
        command->end(CommandEnding::kShuttingDown);
}

Task<> ExecutionService::stop() {
    finish();
    const auto until = clock_.steady_now() + kLastMoment;
    while (!commands_.empty() && clock_.steady_now() < until)
        co_await base::with_timeout(clock_, kLook, one_ended_.wait());
    co_await scope_.close();
}

}  // namespace agentdb9::services
