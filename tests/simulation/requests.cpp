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

std::string short_id(std::string_view id) {
    return std::string(id);
}

}  // namespace

Task<> World::create_workspace(Server& server, base::UserId user, std::string type) {
    co_await server.workspaces.create(user, {.type = std::move(type)});
}

Task<> World::create_project(Server& server, base::UserId user) {
    co_await server.projects.create(user, {.name = "p"});
}

void World::spawn(std::string what, Task<> work) {
    what += " (" + std::to_string(++asked_) + ")";
    note("asked: " + what);
    ++pending_;
    server_->requests.spawn(what, client(*this, what, std::move(work)));
}

Task<> World::client(World& world, std::string what, Task<> work) {
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
    --world.pending_;
    const auto took = std::chrono::duration_cast<base::Duration>(world.loop_.clock().steady_now() - began);
    world.note("answered: " + what + (error ? ": " + error->word() : ""));
    world.judge_.request_ended(what, took, error);
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
    if (!server_->up()) return;
    const auto dice = random_.below(100);
    if (dice < 62 && ask_lifecycle(dice)) return;
    if (dice < 88 && ask_catalogue(dice)) return;
    ask_trash(dice);
}

bool World::ask_lifecycle(std::size_t dice) {
    const auto workspace = any_workspace();
    if (!workspace) return false;
    auto& containers = server_->containers;
    const auto id = workspace->id;
    // Sometimes somebody asks for what is not theirs.
    const auto user = random_.chance(0.03) ? random_.pick(users_) : workspace->user_id;
    const services::RequestOptions options{.respond_async = random_.chance(0.3),
                                           .force = random_.chance(0.2)};
    const auto name = short_id(id.view()) + (options.force ? ", force" : "");
    if (dice < 20) {
        spawn("start " + name, ignoring(containers.start_workspace(user, id, options)));
    } else if (dice < 34) {
        spawn("stop " + name, ignoring(containers.stop_workspace(user, id, options)));
    } else if (dice < 41) {
        spawn("restart " + name, ignoring(containers.restart_workspace(user, id, options)));
    } else if (dice < 47) {
        spawn("delete " + name, ignoring(containers.delete_workspace(user, id, options)));
    } else if (dice < 60) {
        const auto project = any_project(user);
        if (!project) return false;
        spawn("switch " + name + " to " + short_id(project->id.view()),
              ignoring(containers.switch_project_volume(user, id, project->id, options)));
    } else {
        spawn("status of " + name, ignoring(containers.workspace_status(user, id)));
    }
    return true;
}

bool World::ask_catalogue(std::size_t dice) {
    const auto user = random_.pick(users_);
    const auto workspace = any_workspace();
    const auto project = any_project(workspace ? workspace->user_id : user);
    if (dice < 70 || !workspace) {
        services::NewWorkspace wanted{.type = random_.pick(catalogue_.all()).type,
                                      .is_default = random_.chance(0.2)};
        if (const auto own = any_project(user); own && random_.chance(0.4)) wanted.project_id = own->id;
        spawn("create a workspace", ignoring(server_->workspaces.create(user, wanted)));
        return true;
    }
    const auto owner = workspace->user_id;
    if (dice < 75 || !project) {
        spawn("create a project", create_project(*server_, owner));
    } else if (dice < 79) {
        spawn("delete project " + short_id(project->id.view()),
              ignoring(server_->projects.remove(owner, project->id)));
    } else if (dice < 82) {
        spawn("assign " + short_id(project->id.view()) + " to " + short_id(workspace->id.view()),
              ignoring(server_->assignments.assign_project_to_workspace(owner, workspace->id, project->id)));
    } else if (dice < 85) {
        const auto which = workspace->current_project_id.value_or(project->id);
        spawn("unassign " + short_id(which.view()) + " from " + short_id(workspace->id.view()),
              ignoring(server_->assignments.unassign_project_from_workspace(owner, workspace->id, which)));
    } else {
        spawn("make " + short_id(workspace->id.view()) + " the default",
              ignoring(server_->workspaces.set_default(owner, workspace->id)));
    }
    return true;
}

void World::ask_trash(std::size_t dice) {
    const auto tombstone = any_tombstone();
    if (dice >= 97 || !tombstone) {
        // Time in the trash goes by, with the server running.
        if (random_.chance(0.3)) loop_.clock().jump(kTrashTime);
        spawn("clean up", ignoring(server_->volumes.cleanup_orphaned_volumes()));
    } else if (dice < 93) {
        spawn("restore " + tombstone->volume_name, restoring(*server_, tombstone->user_id, tombstone->id));
    } else {
        judge_.purge_asked_for(tombstone->id);
        spawn("purge " + tombstone->volume_name, server_->volumes.purge(tombstone->user_id, tombstone->id));
    }
}

}  // namespace agentdb9::simulation
