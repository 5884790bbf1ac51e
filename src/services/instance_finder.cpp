#include "services/instance_finder.hpp"

#include <algorithm>

#include "services/access.hpp"

namespace agentdb9::services {
namespace {

// Somebody waits for the answer.
constexpr std::chrono::seconds kLookLimit{5};

}  // namespace

Task<std::vector<model::Instance>> InstanceFinder::all(base::WorkspaceId workspace) const {
    auto found = co_await base::with_timeout(clock_, kLookLimit, runtime_.instances(workspace));
    if (!found) {
        throw base::Error(
            base::ErrorCode::kUnavailable, "runtime_unavailable",
            "The container engine does not answer in time; check on the server that it runs, and "
            "try again in a while.")
            .with_retry_after(5);
    }
    co_return std::move(*found);
}

Task<std::optional<model::Instance>> InstanceFinder::current(base::WorkspaceId workspace,
                                                             std::optional<base::UserId> user) const {
    const auto row = co_await store_.read([workspace, user](store::Transaction& tx) {
        if (user) return owned_workspace(tx, *user, workspace);
        auto found = tx.workspaces().find(workspace);
        if (!found) throw base::not_found("workspace");
        return std::move(*found);
    });
    const auto instances = co_await all(workspace);
    const auto serving = routes_.serving(workspace);
    const auto rank = [&](const model::Instance& each) {
        return std::pair(each.id == serving ? 2 : each.generation == row.generation ? 1 : 0, each.generation);
    };
    const auto best = std::ranges::max_element(instances, {}, rank);
    if (best == instances.end()) co_return std::nullopt;
    co_return *best;
}

}  // namespace agentdb9::services
