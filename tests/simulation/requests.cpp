// What the users of a schedule ask for.
#include <algorithm>

#include "base/log.hpp"
#include "simulation/world.hpp"

namespace agentdb9::simulation {

namespace {

// A request's answer does not matter here, only that there is one.
template <class T>
Task<> ignoring(Task<T> task) {
    co_await std::move(task);
}

Task<> restoring(Server& server, base::UserId user, base::TombstoneId id) {
    if (auto workspace = co_await server.volumes.restore(user, id)) co_await server.routes.upsert(*workspace);
}

}  // namespace

Task<> World::create_workspace(Server& server, base::UserId user, std::string type) {
    co_await server.workspaces.create(user, {.type = std::move(type)});
}

Task<> World::limit_workspace(Server& server, base::UserId user, base::WorkspaceId id,
                              model::LimitsChange change) {
    co_await server.limits.apply(co_await server.workspaces.update(user, id, {.limits = change}));
}

Task<> World::create_project(Server& server, base::UserId user) {
    co_await server.projects.create(user, {.name = "p"});
}

Task<> World::lifecycle(World& world, Server& server, Task<services::Requested> request) {
    const auto requested = co_await std::move(request);
    world.judge_.answered(&server, requested);
}

void World::spawn(Server& server, std::string what, Task<> work) {
    what += " (" + std::to_string(++asked_) + ")";
    note("asked: " + what);
    ++server.pending;
    if (several_ && faulty_ && random_.chance(0.1)) cut_off_at_work(server);
    server.requests.spawn(what, client(*this, server, what, std::move(work)));
}

Task<> World::client(World& world, Server& server, std::string what, Task<> work) {
    const auto began = world.loop_.clock().steady_now();
    std::optional<base::Error> error;
    try {
        co_await std::move(work);
    } catch (const base::Error& failure) {
        error = failure;
    } catch (...) {
        if (!base::is_cancellation(std::current_exception()))
            world.judge_.accuse(what + " ended in " + base::log::describe(std::current_exception()));
        throw;
    }
    --server.pending;
    const auto took = std::chrono::duration_cast<base::Duration>(world.loop_.clock().steady_now() - began);
    world.note("answered: " + what + (error ? ": " + error->word() : ""));
    world.judge_.request_ended(what, took, error);
}

// Somebody starts one workspace, thinks better of it, and goes on with the same project in another one.
Task<> World::hand_over(World& world, Server& server, model::Workspace from, model::Workspace to,
                        base::Duration pause) {
    auto& containers = server.containers;
    const services::RequestOptions hurried{.respond_async = true, .force = world.random_.chance(0.3)};
    co_await containers.start_workspace(from.user_id, from.id, hurried);
    co_await world.loop_.clock().sleep_for(pause);
    const auto stopped = co_await containers.stop_workspace(from.user_id, from.id, hurried);
    co_await containers.stop_workspace(to.user_id, to.id, hurried);
    if (stopped.workspace && stopped.workspace->current_project_id)
        co_await containers.switch_project_volume(to.user_id, to.id, *stopped.workspace->current_project_id,
                                                  hurried);
    world.judge_.answered(&server, co_await containers.start_workspace(to.user_id, to.id, {}));
}

bool World::ask_hand_over(Server& server) {
    const auto from = any_workspace();
    const auto to = any_workspace();
    if (!from || !to || from->id == to->id || from->user_id != to->user_id) return false;
    spawn(server, "hand over from " + from->id.str() + " to " + to->id.str(),
          hand_over(*this, server, *from, *to, random_.between(base::Duration(0), base::Duration(600))));
    return true;
}

std::optional<model::Workspace> World::any_workspace() {
    std::vector<model::Workspace> all;
    machine_.database.transact(store::Mode::kRead,
                               [&](store::Transaction& tx) { all = tx.workspaces().all(); });
    if (all.empty()) return std::nullopt;
    return random_.pick(all);
}

std::optional<model::Project> World::any_project(const base::UserId& user) {
    std::vector<model::Project> all;
    machine_.database.transact(store::Mode::kRead,
                               [&](store::Transaction& tx) { all = tx.projects().of_user(user).rows; });
    if (all.empty()) return std::nullopt;
    return random_.pick(all);
}

std::optional<model::Tombstone> World::any_tombstone() {
    std::vector<model::Tombstone> all;
    machine_.database.transact(store::Mode::kRead,
                               [&](store::Transaction& tx) { all = tx.tombstones().open(std::nullopt); });
    if (all.empty()) return std::nullopt;
    return random_.pick(all);
}

void World::request() {
    auto* server = any_up();
    if (server == nullptr) return;
    if (random_.chance(0.08) && ask_hand_over(*server)) return;
    const auto dice = random_.below(100);
    if (dice < 62 && ask_lifecycle(*server, dice)) return;
    if (dice < 88 && ask_catalogue(*server, dice)) return;
    ask_trash(*server, dice);
}

bool World::ask_lifecycle(Server& server, std::size_t dice) {
    const auto workspace = any_workspace();
    if (!workspace) return false;
    auto& containers = server.containers;
    const auto id = workspace->id;
    // Sometimes somebody asks for what is not theirs.
    const auto user = random_.chance(0.03) ? random_.pick(users_) : workspace->user_id;
    const services::RequestOptions options{.respond_async = random_.chance(0.3),
                                           .force = random_.chance(0.2)};
    const auto name = id.str() + (options.force ? ", force" : "");
    if (dice < 20) {
        spawn(server, "start " + name,
              lifecycle(*this, server, containers.start_workspace(user, id, options)));
    } else if (dice < 34) {
        spawn(server, "stop " + name, lifecycle(*this, server, containers.stop_workspace(user, id, options)));
    } else if (dice < 41) {
        spawn(server, "restart " + name,
              lifecycle(*this, server, containers.restart_workspace(user, id, options)));
    } else if (dice < 47) {
        spawn(server, "delete " + name,
              lifecycle(*this, server, containers.delete_workspace(user, id, options)));
    } else if (dice < 60) {
        const auto project = any_project(user);
        if (!project) return false;
        spawn(server, "switch " + name + " to " + project->id.str(),
              lifecycle(*this, server, containers.switch_project_volume(user, id, project->id, options)));
    } else {
        spawn(server, "status of " + name, ignoring(containers.workspace_status(user, id)));
    }
    return true;
}

bool World::ask_catalogue(Server& server, std::size_t dice) {
    const auto user = random_.pick(users_);
    const auto workspace = any_workspace();
    const auto project = any_project(workspace ? workspace->user_id : user);
    if (dice < 70 || !workspace) {
        services::NewWorkspace wanted{.type = random_.pick(catalogue_.all()).type,
                                      .is_default = random_.chance(0.2)};
        if (const auto own = any_project(user); own && random_.chance(0.4)) wanted.project_id = own->id;
        spawn(server, "create a workspace", ignoring(server.workspaces.create(user, wanted)));
        return true;
    }
    const auto owner = workspace->user_id;
    if (dice < 75 || !project) {
        spawn(server, "create a project", create_project(server, owner));
    } else if (dice < 79) {
        spawn(server, "delete project " + project->id.str(),
              ignoring(server.projects.remove(owner, project->id)));
    } else if (dice < 82) {
        spawn(server, "assign " + project->id.str() + " to " + workspace->id.str(),
              ignoring(server.assignments.assign_project_to_workspace(owner, workspace->id, project->id)));
    } else if (dice < 85) {
        const auto which = workspace->current_project_id.value_or(project->id);
        spawn(server, "unassign " + which.str() + " from " + workspace->id.str(),
              ignoring(server.assignments.unassign_project_from_workspace(owner, workspace->id, which)));
    } else if (dice < 87) {
        model::LimitsChange change{.reset = random_.chance(0.3)};
        if (!change.reset) change.memory_mb.emplace(64 + static_cast<std::int64_t>(random_.below(64)));
        if (random_.chance(0.2)) change.shm_mb.emplace(1 + static_cast<std::int64_t>(random_.below(64)));
        spawn(server, "limit " + workspace->id.str(), limit_workspace(server, owner, workspace->id, change));
    } else {
        spawn(server, "make " + workspace->id.str() + " the default",
              ignoring(server.workspaces.set_default(owner, workspace->id)));
    }
    return true;
}

void World::ask_trash(Server& server, std::size_t dice) {
    const auto tombstone = any_tombstone();
    if (dice >= 97 || !tombstone) {
        // Time in the trash goes by, with the server running.
        if (random_.chance(0.3)) loop_.clock().jump(kTrashTime);
        spawn(server, "clean up", ignoring(server.volumes.cleanup_orphaned_volumes()));
    } else if (dice < 93) {
        spawn(server, "restore " + tombstone->volume_name,
              restoring(server, tombstone->user_id, tombstone->id));
    } else {
        judge_.purge_asked_for(tombstone->id);
        spawn(server, "purge " + tombstone->volume_name,
              server.volumes.purge(tombstone->user_id, tombstone->id));
    }
}

}  // namespace agentdb9::simulation
