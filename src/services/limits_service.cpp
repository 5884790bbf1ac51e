#include "services/limits_service.hpp"

#include <algorithm>

#include "services/specs.hpp"

namespace agentdb9::services {
namespace {

constexpr std::chrono::seconds kPatience{5};

const model::Instance* running_of(const std::vector<model::Instance>& instances,
                                  const model::Workspace& workspace) {
    const auto found = std::ranges::find_if(instances, [&](const model::Instance& each) {
        return each.generation == workspace.generation && each.limits && model::holds_volumes(each.state);
    });
    return found == instances.end() ? nullptr : &*found;
}

}  // namespace

std::optional<model::ResourceLimits> LimitsService::in_force(const model::Workspace& workspace) const {
    const auto* type = catalogue_.find(workspace.type);
    if (type == nullptr) return std::nullopt;
    return limits_of(workspace, *type);
}

LimitsService::Pending LimitsService::pending(const model::Workspace& workspace) const {
    const auto wanted = in_force(workspace);
    if (!wanted || workspace.desired_state != model::DesiredState::kRunning) return {};
    const auto seen = reconciler_.last_seen(workspace.id);
    const auto* instance = running_of(seen, workspace);
    if (instance == nullptr) return {};
    Pending pending{.fields = model::differences(*instance->limits, *wanted), .problem = {}};
    if (!pending.fields.empty()) pending.problem = reconciler_.limits_problem(workspace.id, instance->id);
    return pending;
}

// Where another server leads, its commit is not told, only seen: it is looked at until it is there, or no
// more is to be expected.
Task<LimitsService::Pending> LimitsService::apply(model::Workspace workspace) {
    const auto wanted = in_force(workspace);
    if (!wanted || workspace.desired_state != model::DesiredState::kRunning) co_return Pending{};
    reconciler_.desire_changed(workspace.id);
    const auto deadline = clock_.steady_now() + kPatience;
    while (reconciler_.connected() && clock_.steady_now() < deadline) {
        const auto left = std::chrono::ceil<base::Duration>(deadline - clock_.steady_now());
        if (!co_await reconciler_.look(workspace.id, left) || !reconciler_.shared()) break;
        const auto seen = reconciler_.last_seen(workspace.id);
        const auto* instance = running_of(seen, workspace);
        if (instance == nullptr || model::same_while_running(*instance->limits, *wanted)) break;
        if (!reconciler_.limits_problem(workspace.id, instance->id).empty()) break;
    }
    co_return pending(workspace);
}

}  // namespace agentdb9::services
