#include "services/route_book.hpp"

#include <unordered_set>
#include <utility>

namespace agentdb9::services {

using model::Route;
using model::RouteState;

Route RouteBook::make_route(const model::Workspace& workspace) const {
    Route route{.workspace = workspace.id, .owner = workspace.user_id, .type = workspace.type};
    route.wake_on_request = workspace.wake_on_request;
    if (const auto* type = catalogue_.find(workspace.type)) {
        route.default_port = type->default_port;
        route.strip_prefix = type->strip_prefix;
    }
    return route;
}

RouteBook::Rank RouteBook::rank_of(const model::Workspace& workspace) {
    return {workspace.desired_state != model::DesiredState::kDeleted, workspace.is_default,
            workspace.created_at};
}

Task<bool> RouteBook::load(std::vector<model::Workspace> workspaces, std::uint64_t as_of) {
    if (as_of != changes_) co_return false;
    ++changes_;
    loaded_ = true;
    for (const auto& workspace : workspaces) {
        auto route = std::make_shared<Route>(make_route(workspace));
        if (workspace.desired_state == model::DesiredState::kRunning) route->state = RouteState::kHeld;
        // What is known already was looked at.
        entries_.try_emplace(workspace.id, Entry{route, rank_of(workspace)});
    }
    co_await announce();
    co_return true;
}

// False when the entry says all that already.
bool RouteBook::put(const model::Workspace& workspace) {
    auto route = std::make_shared<Route>(make_route(workspace));
    if (auto found = entries_.find(workspace.id); found != entries_.end()) {
        const auto& old = *found->second.route;
        if (found->second.rank == rank_of(workspace) && old.owner == route->owner &&
            old.type == route->type && old.wake_on_request == route->wake_on_request)
            return false;
        route->state = old.state;
        route->instance = old.instance;
        route->address = old.address;
        route->published = old.published;
        route->use = old.use;
    }
    entries_.insert_or_assign(workspace.id, Entry{route, rank_of(workspace)});
    return true;
}

Task<> RouteBook::upsert(model::Workspace workspace) {
    if (listener_) listener_(workspace);
    bool changed = put(workspace);
    if (workspace.is_default) {
        for (auto& [id, entry] : entries_) {
            if (id == workspace.id || entry.route->owner != workspace.user_id) continue;
            changed = std::exchange(entry.rank.is_default, false) || changed;
        }
    }
    if (!changed) co_return;
    ++changes_;
    co_await announce();
}

Task<> RouteBook::refresh(std::vector<model::Workspace> workspaces, std::uint64_t as_of) {
    if (as_of != changes_) co_return;
    bool changed = false;
    std::unordered_set<base::WorkspaceId> there;
    for (const auto& workspace : workspaces) {
        there.insert(workspace.id);
        changed = put(workspace) || changed;
    }
    changed = std::erase_if(entries_, [&](const auto& entry) { return !there.contains(entry.first); }) > 0 ||
              changed;
    if (changed) co_await announce();
}

Task<> RouteBook::remove(base::WorkspaceId workspace) {
    ++changes_;
    if (entries_.erase(workspace) == 0) co_return;
    co_await announce();
}

Task<> RouteBook::share(std::shared_ptr<const model::Sharings> sharings) {
    sharings_ = std::move(sharings);
    // A table without the workspaces would say that there are none.
    if (loaded_) co_await announce();
}

std::shared_ptr<Route> RouteBook::edit(const base::WorkspaceId& workspace) {
    auto found = entries_.find(workspace);
    if (found == entries_.end()) return nullptr;
    auto copy = std::make_shared<Route>(*found->second.route);
    found->second.route = copy;
    return copy;
}

Task<> RouteBook::publish(base::WorkspaceId workspace, model::Instance instance) {
    auto route = edit(workspace);
    if (!route) co_return;
    auto& use = uses_[instance.id];
    if (!use) use = std::make_shared<model::InstanceUse>();
    route->state = RouteState::kReady;
    route->instance = instance.id;
    route->address = instance.address;
    route->published = instance.published;
    route->use = use;
    co_await announce();
}

Task<> RouteBook::hold(base::WorkspaceId workspace) {
    auto route = edit(workspace);
    if (!route) co_return;
    *route = Route{.workspace = route->workspace,
                   .owner = route->owner,
                   .type = route->type,
                   .default_port = route->default_port,
                   .strip_prefix = route->strip_prefix,
                   .state = RouteState::kHeld,
                   .wake_on_request = route->wake_on_request};
    co_await announce();
}

Task<> RouteBook::stop(base::WorkspaceId workspace) {
    auto found = entries_.find(workspace);
    if (found == entries_.end() || found->second.route->state == RouteState::kStopped) co_return;
    auto route = edit(workspace);
    *route = Route{.workspace = route->workspace,
                   .owner = route->owner,
                   .type = route->type,
                   .default_port = route->default_port,
                   .strip_prefix = route->strip_prefix,
                   .wake_on_request = route->wake_on_request};
    co_await announce();
}

Task<> RouteBook::hold_all() {
    bool changed = false;
    for (auto& [id, entry] : entries_) {
        if (entry.route->state != RouteState::kReady) continue;
        auto route = std::make_shared<Route>(*entry.route);
        route->state = RouteState::kHeld;
        route->instance.clear();
        route->address.reset();
        route->published.clear();
        route->use.reset();
        entry.route = route;
        changed = true;
    }
    if (changed) co_await announce();
}

std::string RouteBook::serving(const base::WorkspaceId& workspace) const {
    auto found = entries_.find(workspace);
    return found == entries_.end() ? std::string() : found->second.route->instance;
}

bool RouteBook::routed(const base::WorkspaceId& workspace) const {
    auto found = entries_.find(workspace);
    return found != entries_.end() && found->second.route->state != RouteState::kStopped;
}

std::vector<base::WorkspaceId> RouteBook::routed() const {
    std::vector<base::WorkspaceId> found;
    for (const auto& [id, entry] : entries_)
        if (entry.route->state != RouteState::kStopped) found.push_back(id);
    return found;
}

RouteBook::Counts RouteBook::counts() const {
    Counts counts;
    for (const auto& [id, entry] : entries_) {
        switch (entry.route->state) {
            case RouteState::kReady:
                ++counts.ready;
                break;
            case RouteState::kHeld:
                ++counts.held;
                break;
            case RouteState::kStopped:
                ++counts.stopped;
                break;
        }
    }
    return counts;
}

std::shared_ptr<model::InstanceUse> RouteBook::use_of(const std::string& instance) const {
    auto found = uses_.find(instance);
    return found == uses_.end() ? nullptr : found->second;
}

Task<> RouteBook::announce() {
    auto table = std::make_shared<model::RouteTable>();
    table->version = ++version_;
    table->sharings = sharings_;
    // A user's default workspace of its type, else the newest of the type, is what /vscode/ means; one that
    // is being deleted only where there is no other.
    std::map<std::pair<base::UserId, std::string>, const Entry*> best;
    for (const auto& [id, entry] : entries_) {
        table->routes.emplace(id, entry.route);
        auto& chosen = best[{entry.route->owner, entry.route->type}];
        if (chosen == nullptr || entry.rank > chosen->rank) chosen = &entry;
    }
    for (const auto& [key, entry] : best)
        table->defaults.emplace(key, entry->route->workspace);
    if (publisher_) co_await publisher_(std::move(table));
}

}  // namespace agentdb9::services
