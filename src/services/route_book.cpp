#include "services/route_book.hpp"

namespace agentdb9::services {

using model::Route;
using model::RouteState;

Route RouteBook::make_route(const model::Workspace& workspace) const {
    Route route{.workspace = workspace.id, .owner = workspace.user_id, .type = workspace.type};
    if (const auto* type = catalogue_.find(workspace.type)) {
        route.default_port = type->default_port;
        route.strip_prefix = type->strip_prefix;
    }
    return route;
}

Task<> RouteBook::load(std::vector<model::Workspace> workspaces) {
    entries_.clear();
    for (const auto& workspace : workspaces) {
        auto route = std::make_shared<Route>(make_route(workspace));
        if (workspace.desired_state == model::DesiredState::kRunning) route->state = RouteState::kHeld;
        entries_.insert_or_assign(workspace.id, Entry{route, workspace.is_default, workspace.created_at});
    }
    co_await announce();
}

Task<> RouteBook::upsert(model::Workspace workspace) {
    auto route = std::make_shared<Route>(make_route(workspace));
    if (auto found = entries_.find(workspace.id); found != entries_.end()) {
        const auto& old = *found->second.route;
        if (old.owner == workspace.user_id && old.type == workspace.type &&
            found->second.is_default == workspace.is_default &&
            found->second.created_at == workspace.created_at)
            co_return;
        route->state = old.state;
        route->instance = old.instance;
        route->address = old.address;
        route->published = old.published;
        route->use = old.use;
    }
    entries_.insert_or_assign(workspace.id, Entry{route, workspace.is_default, workspace.created_at});
    co_await announce();
}

Task<> RouteBook::remove(base::WorkspaceId workspace) {
    if (entries_.erase(workspace) == 0) co_return;
    co_await announce();
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
                   .state = RouteState::kHeld};
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
                   .strip_prefix = route->strip_prefix};
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

std::shared_ptr<model::InstanceUse> RouteBook::use_of(const std::string& instance) const {
    auto found = uses_.find(instance);
    return found == uses_.end() ? nullptr : found->second;
}

Task<> RouteBook::announce() {
    auto table = std::make_shared<model::RouteTable>();
    table->version = ++version_;
    // A user's default workspace of its type, else the newest of the type, is what /vscode/ means.
    std::map<std::pair<base::UserId, std::string>, const Entry*> best;
    for (const auto& [id, entry] : entries_) {
        table->routes.emplace(id, entry.route);
        auto& chosen = best[{entry.route->owner, entry.route->type}];
        if (chosen == nullptr || std::pair(entry.is_default, entry.created_at) >
                                     std::pair(chosen->is_default, chosen->created_at)) {
            chosen = &entry;
        }
    }
    for (const auto& [key, entry] : best)
        table->defaults.emplace(key, entry->route->workspace);
    if (publisher_) co_await publisher_(std::move(table));
}

}  // namespace agentdb9::services
