#include "simulation/judge.hpp"

#include <algorithm>

#include "model/health.hpp"
#include "model/instance.hpp"
#include "model/life_event.hpp"

namespace agentdb9::simulation {

using model::DesiredState;
using model::Workspace;
using test::EngineInstance;

namespace {

// Longest that a waiting request may take: a minute, and what the transactions around it take.
constexpr base::Duration kLongestRequest{75000};

// Why a request may be refused though nothing is broken.
const std::set<std::string> kGoodReasons{
    "project_in_use",    "workspace_deleting",    "operation_superseded", "workspace_not_found",
    "project_not_found", "volume_not_found",      "incompatible_type",    "not_assigned",
    "already_restored",  "volume_in_use",         "volume_missing",       "volume_being_purged",
    "workspace_running", "workspace_not_running", "invalid_field"};
// These are nobody's fault but ours.
const std::set<std::string> kOurFault{"internal_error", "duplicate", "database_error", "plan_without_spec"};

std::string name_of(const EngineInstance& instance) {
    return instance.instance.id + " (workspace " + instance.instance.workspace_id.str() + ", generation " +
           std::to_string(instance.instance.generation) + ", " +
           std::string(model::to_text(instance.instance.state)) + ")";
}

}  // namespace

void Judge::accuse(std::string what) {
    if (!verdict_) verdict_ = std::move(what);
}

void Judge::went_live(const EngineInstance& instance) {
    for (const auto& [id, other] : machine_.engine.instances()) {
        if (id == instance.instance.id || !model::holds_volumes(other.instance.state)) continue;
        for (const auto& volume : instance.instance.volumes) {
            if (std::ranges::count(other.instance.volumes, volume) > 0)
                accuse("two instances run on " + volume + ": " + name_of(instance) + " and " +
                       name_of(other));
        }
    }
}

void Judge::volume_removed(const test::EngineVolume& volume) {
    const auto& name = volume.volume.name;
    machine_.database.transact(store::Mode::kRead, [&](store::Transaction& tx) {
        const auto tombstone = tx.tombstones().find_open_by_volume(name);
        if (!tombstone) return accuse("volume " + name + " was removed without an open tombstone");
        if (tombstone->purge_after > machine_.loop.clock().now() + 2 * skew_ &&
            !purges_.contains(tombstone->id))
            accuse("volume " + name + " was removed before its time in the trash was over");
        if (volume.volume.project_id && tx.projects().find(*volume.volume.project_id))
            accuse("volume " + name + " was removed from a project that exists");
        if (volume.volume.workspace_id && tx.workspaces().find(*volume.volume.workspace_id))
            accuse("volume " + name + " was removed from a workspace that exists");
    });
}

void Judge::published(const Server* by, std::shared_ptr<const model::RouteTable> table) {
    auto& view = views_[by];
    const auto now = machine_.loop.clock().now();
    for (const auto& [id, route] : table->routes) {
        if (route->state != model::RouteState::kReady) continue;
        view.last_ready[id] = last_ready_[id] = now;
        const auto* before = view.table ? view.table->find(id) : nullptr;
        if (before != nullptr && before->instance == route->instance) continue;
        const auto* instance = machine_.engine.find(route->instance);
        const auto where = "the route of workspace " + id.str() + " was published to " + route->instance;
        if (instance == nullptr || instance->instance.state != model::InstanceState::kRunning) {
            // It may have been up again in between, without anybody telling.
            const auto told = view.told_dead.find(route->instance);
            if (told != view.told_dead.end() && (instance == nullptr || instance->died_at <= told->second))
                accuse(where + ", whose end the server knew of");
        } else if (instance->instance.workspace_id != id || instance->installation != machine_.installation) {
            accuse(where + ", which is not its own");
        } else if (instance->instance.address != route->address) {
            accuse(where + ", but to an address that is not its own");
        } else if (!instance->ready_at || *instance->ready_at > machine_.loop.clock().steady_now()) {
            // It may have stopped answering since it was asked.
            if (instance->starts == 1 && !instance->ill) accuse(where + ", which was never ready");
        }
    }
    if (view.table) {
        for (const auto& [id, route] : view.table->routes) {
            if (route->state == model::RouteState::kReady) view.last_ready[id] = last_ready_[id] = now;
        }
    }
    view.table = std::move(table);
}

// Until this moment its requests reached what its routes said.
void Judge::server_ended(const Server* server) {
    const auto found = views_.find(server);
    if (found == views_.end()) return;
    if (const auto& table = found->second.table) {
        for (const auto& [id, route] : table->routes)
            if (route->state == model::RouteState::kReady) last_ready_[id] = machine_.loop.clock().now();
    }
    views_.erase(found);
}

void Judge::answered(const Server* by, const services::Requested& requested) {
    const auto& operation = requested.operation;
    if (!requested.finished || operation.state != model::OperationState::kSucceeded) return;
    const auto kind = operation.kind;
    const bool brings_up = kind == model::OperationKind::kStart || kind == model::OperationKind::kRestart ||
                           kind == model::OperationKind::kSwitch;
    if (!brings_up || !requested.workspace || requested.workspace->desired_state != DesiredState::kRunning)
        return;
    // Who answers serves it. What other servers end it follows, unless something goes wrong with it
    // meanwhile, or something else is asked for before it has heard of the end: then another one served it.
    // It may have ended since: but requests did reach it.
    bool latest = true;
    machine_.database.transact(store::Mode::kRead, [&](store::Transaction& tx) {
        const auto last = tx.operations().latest_of(operation.workspace_id);
        latest = !last || last->id == operation.id;
    });
    const auto reached = [&](const auto& last_ready) {
        const auto last = last_ready.find(operation.workspace_id);
        return last != last_ready.end() && last->second + 2 * skew_ >= operation.created_at;
    };
    const auto serves = [&](const View& view) {
        const auto* route = view.table ? view.table->find(operation.workspace_id) : nullptr;
        return route != nullptr && route->state == model::RouteState::kReady;
    };
    const bool served = no_faults_ && latest
                            ? serves(views_[by]) || reached(views_[by].last_ready)
                            : reached(last_ready_) || std::ranges::any_of(views_, [&](const auto& each) {
                                  return serves(each.second);
                              });
    if (!served)
        accuse("an operation of " + operation.workspace_id.str() +
               " succeeded, but no request ever reached it");
}

void Judge::told(const Server* server, const test::EngineEvent& event) {
    auto& view = views_[server];
    switch (event.kind) {
        case runtime::EventKind::kStarted:
            view.told_dead.erase(event.instance);
            break;
        case runtime::EventKind::kDied:
        case runtime::EventKind::kRemoved:
            view.told_dead[event.instance] = machine_.loop.clock().steady_now();
            view.just_died.push_back(event.instance);
            break;
        case runtime::EventKind::kOther:
            break;
    }
}

// On an end that the server was told of, the route goes before anything else.
void Judge::idle() {
    for (auto& [server, view] : views_) {
        for (const auto& id : view.just_died) {
            const auto* instance = machine_.engine.find(id);
            if (!view.table || (instance != nullptr && model::holds_volumes(instance->instance.state)))
                continue;
            for (const auto& [workspace, route] : view.table->routes) {
                if (route->instance == id)
                    accuse("the route of workspace " + workspace.str() + " stays on the dead " + id);
            }
        }
        view.just_died.clear();
    }
}

// One server acts for a workspace at a time (docs/decisions/0008): who asks the engine for a change holds the
// lease. What it gave up has its effect before another has the lease.
void Judge::acted(const std::string& server, const base::WorkspaceId& workspace, bool given_up) {
    machine_.database.transact_raw(store::Mode::kRead, [&](store::Connection& db) {
        const auto found = db.execute(
            R"(SELECT "holder", "until" FROM "agentdb9_leases" WHERE "workspaceId" = $1)", {workspace.str()});
        const auto now = machine_.shared.now();
        const bool in_force =
            !found.rows.empty() && base::parse_time(found.rows.front().text(1)).value_or(base::Time()) > now;
        const auto holder = found.rows.empty() ? "nobody" : found.rows.front().text(0);
        if (given_up ? in_force && holder != server : !in_force || holder != server)
            accuse(server + " changes what workspace " + workspace.str() + " has, whose lease is " +
                   (in_force ? holder + "'s" : "over") + (given_up ? " (given up before)" : ""));
    });
}

void Judge::request_ended(const std::string& what, base::Duration took,
                          const std::optional<base::Error>& error) {
    if (took > kLongestRequest) accuse(what + " took " + std::to_string(took.count()) + " ms");
    if (!error) return;
    if (kOurFault.contains(error->word())) accuse(what + " failed by our fault: " + error->what());
    if (no_faults_ && !kGoodReasons.contains(error->word()))
        accuse(what + " failed though nothing was wrong: " + error->what());
}

std::vector<const EngineInstance*> Judge::instances_of(const base::WorkspaceId& workspace) {
    std::vector<const EngineInstance*> found;
    for (const auto& [id, each] : machine_.engine.instances()) {
        if (each.installation == machine_.installation && each.instance.workspace_id == workspace)
            found.push_back(&each);
    }
    return found;
}

Judge::Rows Judge::read() {
    Rows rows;
    machine_.database.transact_raw(store::Mode::kRead, [&](store::Connection& db) {
        store::Transaction tx(db);
        rows.workspaces = tx.workspaces().all();
        rows.projects = tx.projects().all();
        rows.tombstones = tx.tombstones().open(std::nullopt);
        const auto open = db.execute(
            R"(SELECT "workspaceId" FROM "agentdb9_operations" WHERE "state" IN ('pending', 'running'))");
        for (const auto& row : open.rows)
            rows.open_operations.push_back(std::get<std::string>(row.value(0)));
        for (const auto& workspace : rows.workspaces) {
            if (auto latest = tx.operations().latest_of(workspace.id))
                rows.latest.emplace(workspace.id, *latest);
        }
    });
    return rows;
}

std::optional<std::string> Judge::unsettled() {
    const auto rows = read();
    if (!rows.open_operations.empty()) return "an operation of " + rows.open_operations.front() + " is open";
    if (views_.empty()) return "no server is left";
    for (const auto& [server, view] : views_) {
        if (auto problem = unsettled(rows, view)) return problem;
    }
    for (const auto& [id, each] : machine_.engine.instances()) {
        if (each.installation != machine_.installation) continue;
        if (std::ranges::none_of(rows.workspaces, [&](const Workspace& workspace) {
                return workspace.id == each.instance.workspace_id;
            }))
            return "nobody's instance is left: " + name_of(each);
    }
    return std::nullopt;
}

std::optional<std::string> Judge::unsettled(const Rows& rows, const View& view) {
    if (!view.table) return "no routes";
    for (const auto& workspace : rows.workspaces) {
        if (auto problem = unsettled(rows, view, workspace))
            return "workspace " + workspace.id.str() + ": " + *problem;
    }
    if (view.table->routes.size() != rows.workspaces.size())
        return "there are routes of workspaces that are gone";
    return wrong_defaults(rows, *view.table);
}

std::optional<std::string> Judge::unsettled(const Rows& rows, const View& view, const Workspace& workspace) {
    if (workspace.next_generation || workspace.next_project_id) return "a replacement is on its way";
    if (auto problem = wrong_restarts(workspace)) {
        accuse("workspace " + workspace.id.str() + " " + *problem);
        return problem;
    }
    if (view.table->find(workspace.id) == nullptr) return "has no route";
    const auto& route = *view.table->find(workspace.id);
    if (route.owner != workspace.user_id || route.type != workspace.type) return "the route is another's";
    switch (workspace.desired_state) {
        case DesiredState::kDeleted:
            return "is still being deleted";
        case DesiredState::kRunning:
            return wrong_running(rows, workspace, route);
        case DesiredState::kStopped:
            return wrong_stopped(rows, workspace, route);
    }
    return std::nullopt;
}

std::optional<std::string> Judge::wrong_running(const Rows& rows, const Workspace& workspace,
                                                const model::Route& route) {
    const auto found = instances_of(workspace.id);
    if (found.empty()) return "is wanted running, but there is no instance";
    if (found.size() > 1) return "has left-overs: " + name_of(*found.front()) + ", " + name_of(*found.back());
    const auto& instance = found.front()->instance;
    const auto project = std::ranges::find(rows.projects, workspace.current_project_id,
                                           [](const model::Project& each) { return std::optional(each.id); });
    if (project == rows.projects.end()) return "runs without a project";
    const auto spec = services::make_spec(workspace, *project, *machine_.catalogue.find(workspace.type),
                                          workspace.generation);
    if (instance.state != model::InstanceState::kRunning) return "does not run: " + name_of(*found.front());
    if (instance.generation != workspace.generation) return "runs as an old one: " + name_of(*found.front());
    if (instance.spec != model::spec_hash(spec)) return "runs as something else: " + name_of(*found.front());
    if (!model::same_while_running(found.front()->spec.limits, spec.limits))
        return "has other limits than it is to have: " + name_of(*found.front());
    if (instance.volumes.front() != project->volume_name) return "runs on another project's volume";
    if (instance.name != model::instance_name(workspace.id)) return "is called " + instance.name;
    if (workspace.phase != model::Phase::kRunning || workspace.status != model::WorkspaceStatus::kRunning)
        return "runs, but its row says " + std::string(model::to_text(workspace.phase));
    if (route.state != model::RouteState::kReady || route.instance != instance.id)
        return "runs without a route";
    if (route.address != instance.address) return "its route leads to another address";
    const bool healed = machine_.catalogue.find(workspace.type)->health_check.restart;
    if (healed && instance.health == model::InstanceHealth::kUnhealthy)
        return "runs, but is unhealthy: " + name_of(*found.front());
    if (healed && found.front()->cursed) return "falls ill again and again: " + name_of(*found.front());
    if (healed && !found.front()->ready_at) return "runs, but does not answer: " + name_of(*found.front());
    return std::nullopt;
}

std::optional<std::string> Judge::wrong_stopped(const Rows& rows, const Workspace& workspace,
                                                const model::Route& route) {
    const auto found = instances_of(workspace.id);
    for (const auto* each : found) {
        if (model::holds_volumes(each->instance.state))
            return "is wanted stopped, but runs: " + name_of(*each);
        if (each->instance.generation != workspace.generation) return "keeps an old one: " + name_of(*each);
    }
    if (found.size() > 1) return "keeps two instances";
    if (route.state != model::RouteState::kStopped) return "is stopped, but has a route";
    if (workspace.phase == model::Phase::kFailed) {
        const auto latest = rows.latest.find(workspace.id);
        if (workspace.status != model::WorkspaceStatus::kError || !workspace.last_error)
            return "has failed, but does not say so";
        if (latest == rows.latest.end() || latest->second.state != model::OperationState::kFailed) {
            if (latest == rows.latest.end() || latest->second.kind != model::OperationKind::kSwitch)
                return "has failed, but no operation has";
        }
        return std::nullopt;
    }
    if (workspace.phase != model::Phase::kStopped)
        return "is stopped, but its row says " + std::string(model::to_text(workspace.phase));
    if (workspace.status == model::WorkspaceStatus::kRunning) return "is stopped, but its status is running";
    return std::nullopt;
}

// The server restarts an application that does not answer a few times only, then gives it up; one that is to
// be left to itself never.
std::optional<std::string> Judge::wrong_restarts(const Workspace& workspace) {
    using model::LifeEventKind;
    const model::RestartRules rules;
    std::vector<model::LifeEvent> events;
    machine_.database.transact(store::Mode::kRead, [&](store::Transaction& tx) {
        events = tx.life_events().of_workspace(workspace.id, {.limit = 10000, .cursor = {}}).rows;
    });
    std::vector<base::Time> row;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
        const bool asked = event->actor == model::ActorKind::kUser &&
                           event->kind != LifeEventKind::kSettingsChanged &&
                           event->kind != LifeEventKind::kCreated;
        if (asked) row.clear();
        if (event->kind != LifeEventKind::kRestartedByServer) continue;
        if (!machine_.catalogue.find(workspace.type)->health_check.restart)
            return "was restarted, though it is to be left to itself";
        row.push_back(event->at);
        const auto most = static_cast<std::size_t>(rules.most);
        if (row.size() > most && row.back() - row[row.size() - 1 - most] <
                                     rules.healthy_while - std::chrono::seconds(1) - 2 * skew_)
            return "was restarted by the server more often than it may";
    }
    return std::nullopt;
}

std::optional<std::string> Judge::wrong_defaults(const Rows& rows, const model::RouteTable& table) {
    std::map<base::UserId, int> defaults;
    std::map<std::pair<base::UserId, std::string>, const Workspace*> best;
    for (const auto& workspace : rows.workspaces) {
        defaults[workspace.user_id] += workspace.is_default ? 1 : 0;
        auto& chosen = best[{workspace.user_id, workspace.type}];
        if (chosen == nullptr || std::pair(workspace.is_default, workspace.created_at) >
                                     std::pair(chosen->is_default, chosen->created_at))
            chosen = &workspace;
    }
    for (const auto& [user, count] : defaults) {
        if (count != 1) return "user " + user.str() + " has " + std::to_string(count) + " default workspaces";
    }
    for (const auto& [key, workspace] : best) {
        const auto found = table.defaults.find(key);
        if (found == table.defaults.end()) return "a type leads nowhere";
        const auto other = std::ranges::find(rows.workspaces, found->second, &Workspace::id);
        if (other == rows.workspaces.end() || other->is_default != workspace->is_default ||
            other->created_at != workspace->created_at)
            return "type " + key.second + " leads to " + found->second.str() + " instead of " +
                   workspace->id.str();
    }
    return std::nullopt;
}

std::optional<std::string> Judge::lost_or_left_over() {
    const auto rows = read();
    auto& volumes = machine_.engine.volumes();
    for (const auto& project : rows.projects) {
        if (!project.volume_name) continue;
        if (!volumes.contains(*project.volume_name))
            return "the volume of project " + project.id.str() + " is lost";
    }
    for (const auto& [name, volume] : volumes) {
        if (volume.installation != machine_.installation) continue;
        // The engine may carry out late what was asked of it for a project that was deleted and purged
        // meanwhile: an empty volume, which nothing ever ran on.
        if (volume.volume.project_id && volume.written.empty()) continue;
        const bool owned =
            std::ranges::any_of(rows.projects,
                                [&](const auto& each) { return volume.volume.project_id == each.id; }) ||
            std::ranges::any_of(rows.workspaces,
                                [&](const auto& each) { return volume.volume.workspace_id == each.id; }) ||
            std::ranges::any_of(rows.tombstones, [&](const auto& each) { return each.volume_name == name; });
        if (!owned) return "volume " + name + " is nobody's and not in the trash";
    }
    return std::nullopt;
}

}  // namespace agentdb9::simulation
