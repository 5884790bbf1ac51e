#include "services/running_instance.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace agentdb9::services {
namespace {

constexpr base::Duration kLook{100};
constexpr int kLooks = 5;

}  // namespace

base::Error nothing_runs() {
    return base::conflict("workspace_not_running",
                          "The workspace is not running, so nothing can be run in it. Start it first.");
}

base::Error paused() {
    return base::conflict("workspace_paused",
                          "The workspace is paused for a moment, for a backup of its files. Try again.");
}

base::Error as_workspaces(const base::Error& failure) {
    // It ended between the look and the call.
    if (failure.word() == "instance_not_running" || failure.word() == "instance_not_found")
        return nothing_runs();
    return failure.word() == "instance_paused" ? paused() : failure;
}

Task<std::string> running_instance(const InstanceFinder& finder, base::UserId user,
                                   base::WorkspaceId workspace) {
    const auto instance = co_await finder.current(workspace, user);
    if (instance && instance->state == model::InstanceState::kPaused) throw paused();
    if (!instance || instance->state != model::InstanceState::kRunning) throw nothing_runs();
    co_return instance->id;
}

Task<bool> instance_is_gone(base::Clock& clock, const InstanceFinder& finder, base::WorkspaceId workspace,
                            std::string instance) {
    for (int looks = 0; looks < kLooks; ++looks) {
        const auto serving = finder.serving(workspace);
        if (!serving.empty() && serving != instance) co_return true;
        const auto all = co_await finder.all(workspace);
        const auto found = std::ranges::find(all, instance, &model::Instance::id);
        if (found == all.end() || !model::holds_volumes(found->state)) co_return true;
        co_await clock.sleep_for(kLook);
    }
    co_return false;
}

}  // namespace agentdb9::services
