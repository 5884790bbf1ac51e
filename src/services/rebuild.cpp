#include "services/rebuild.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"

namespace agentdb9::services {

using model::DesiredState;
using model::Instance;
using model::Phase;
using model::WorkspaceStatus;

namespace {

void require_empty(store::Transaction& tx) {
    if (tx.projects().all().empty() && tx.workspaces().all().empty() &&
        tx.tombstones().open(std::nullopt).empty()) {
        return;
    }
    throw base::conflict(
        "catalogue_not_empty",
        "This database has projects, workspaces or a trash already; a rebuild is only for one "
        "that has none. 'agentdb9 doctor --repair' puts right what differs.");
}

template <class Id>
std::string short_id(const Id& id) {
    return id.str().substr(0, 8);
}

class Rebuilding {
  public:
    Rebuilding(std::vector<runtime::Volume> volumes, std::vector<Instance> instances,
               std::set<base::UserId> known, const model::Catalogue& catalogue, base::Time now,
               std::optional<base::UserId> owner)
        : volumes_(std::move(volumes)),
          instances_(std::move(instances)),
          known_(std::move(known)),
          catalogue_(catalogue),
          now_(now),
          owner_(std::move(owner)) {
        std::ranges::sort(volumes_, {},
                          [](const auto& each) { return std::pair(each.created_at, each.name); });
    }

    Rebuilt all() {
        for (const auto& each : volumes_) {
            if (each.project_id) add_project(each);
        }
        add_workspaces();
        choose_defaults();
        return std::move(result_);
    }

  private:
    std::optional<base::UserId> user_of(const std::optional<base::UserId>& told, const std::string& what) {
        if (told && known_.contains(*told)) return told;
        if (owner_) return owner_;
        if (!told) {
            result_.notes.push_back(what + " does not tell its user; name one with --owner.");
            return std::nullopt;
        }
        known_.insert(*told);
        model::User user{.id = *told};
        user.email = "user-" + short_id(*told) + "@rebuilt.invalid";
        user.username = "user-" + short_id(*told);
        user.is_active = false;
        user.created_at = user.updated_at = now_;
        result_.users.push_back(std::move(user));
        return told;
    }

    // Volumes come oldest first: of several, the last is what a restore made current.
    void add_project(const runtime::Volume& volume) {
        const auto user = user_of(volume.user_id, "The volume '" + volume.name + "'");
        if (!user) return;
        const auto same = std::ranges::find(result_.projects, *volume.project_id, &model::Project::id);
        if (same != result_.projects.end()) {
            result_.notes.push_back("The project " + volume.project_id->str() +
                                    " has several volumes; the newest is taken, and '" +
                                    same->volume_name.value_or("") + "' is left alone.");
            same->volume_name = volume.name;
            same->volume_path = volume.path;
            return;
        }
        model::Project project{
            .id = *volume.project_id, .name = "Project " + short_id(*volume.project_id), .user_id = *user};
        project.language = "other";
        project.volume_name = volume.name;
        project.volume_path = volume.path;
        project.created_at = volume.created_at.value_or(now_);
        project.updated_at = now_;
        result_.projects.push_back(std::move(project));
    }

    void add_workspaces() {
        std::map<base::WorkspaceId, std::vector<const Instance*>> instances;
        for (const auto& each : instances_)
            instances[each.workspace_id].push_back(&each);
        std::map<base::WorkspaceId, const runtime::Volume*> homes;
        for (const auto& each : volumes_) {
            if (!each.workspace_id || each.project_id) continue;
            homes[*each.workspace_id] = &each;
            instances[*each.workspace_id];
        }
        for (const auto& [id, its] : instances) {
            const auto home = homes.find(id);
            add_workspace(id, its, home == homes.end() ? nullptr : home->second);
        }
    }

    void add_workspace(const base::WorkspaceId& id, const std::vector<const Instance*>& its,
                       const runtime::Volume* home) {
        // What served: the one that runs, has the plain name, is the latest.
        const auto rank = [&](const Instance* each) {
            return std::tuple(model::holds_volumes(each->state), each->name == model::instance_name(id),
                              each->generation);
        };
        const Instance* serving = its.empty() ? nullptr : *std::ranges::max_element(its, {}, rank);
        const auto told = serving != nullptr ? serving->user_id : home->user_id;
        const auto user = user_of(told, "The workspace " + id.str());
        if (!user) return;
        model::Workspace row{.id = id, .name = {}, .user_id = *user};
        row.type = serving != nullptr ? serving->workspace_type : type_with_a_home(id);
        const auto* type = catalogue_.find(row.type);
        if (type == nullptr) {
            result_.notes.push_back("The workspace " + id.str() + " is of the type '" + row.type +
                                    "', which is not configured; it does not start until it is.");
        }
        row.name = (type != nullptr ? type->name : row.type) + " " + short_id(id);
        row.container_name = model::instance_name(id);
        if (home != nullptr) row.volume_name = home->name;
        row.created_at = row.updated_at = now_;
        if (home != nullptr && home->created_at) row.created_at = *home->created_at;
        if (serving != nullptr) take_over(row, *serving, its);
        result_.workspaces.push_back(std::move(row));
    }

    // Its generation goes on, so that what runs is recognized and left alone.
    void take_over(model::Workspace& row, const Instance& serving, const std::vector<const Instance*>& its) {
        row.generation = serving.generation;
        for (const auto* each : its)
            row.last_generation = std::max(row.last_generation, each->generation);
        if (serving.created_at && !row.volume_name) row.created_at = *serving.created_at;
        const auto project = std::ranges::find_if(result_.projects, [&](const model::Project& each) {
            return each.id == serving.project_id && each.user_id == row.user_id;
        });
        if (project == result_.projects.end()) {
            result_.notes.push_back("The workspace " + row.id.str() +
                                    " has no project: the volume that it ran with is gone. It is stopped.");
            return;
        }
        row.current_project_id = project->id;
        const bool running = model::holds_volumes(serving.state);
        row.desired_state = running ? DesiredState::kRunning : DesiredState::kStopped;
        row.phase = running ? Phase::kQueued : Phase::kStopped;
        row.status = running ? WorkspaceStatus::kRunning : WorkspaceStatus::kStopped;
    }

    // Only a home is left of it: its type is one that keeps a home.
    std::string type_with_a_home(const base::WorkspaceId& id) {
        const auto found = std::ranges::find_if(catalogue_.all(),
                                                [](const auto& each) { return each.home_path.has_value(); });
        const std::string type = found == catalogue_.all().end() ? "vscode" : found->type;
        result_.notes.push_back("Only the home of the workspace " + id.str() +
                                " is left, which does not tell its type; '" + type + "' is taken.");
        return type;
    }

    void choose_defaults() {
        std::ranges::sort(result_.workspaces, {},
                          [](const auto& each) { return std::pair(each.created_at, each.id); });
        std::set<base::UserId> have;
        for (auto& each : result_.workspaces)
            each.is_default = have.insert(each.user_id).second;
    }

    std::vector<runtime::Volume> volumes_;
    std::vector<Instance> instances_;
    std::set<base::UserId> known_;
    const model::Catalogue& catalogue_;
    base::Time now_;
    std::optional<base::UserId> owner_;
    Rebuilt result_;
};

}  // namespace

Task<Rebuilt> plan_rebuild(store::Store& store, runtime::Runtime& runtime, const model::Catalogue& catalogue,
                           base::Clock& clock, std::optional<base::UserId> owner) {
    auto known = co_await store.read([](store::Transaction& tx) {
        require_empty(tx);
        std::set<base::UserId> users;
        for (const auto& each : tx.users().all())
            users.insert(each.id);
        return users;
    });
    auto volumes = co_await runtime.volumes();
    auto instances = co_await runtime.instances();
    co_return Rebuilding(std::move(volumes), std::move(instances), std::move(known), catalogue, clock.now(),
                         std::move(owner))
        .all();
}

Task<> write_rebuilt(store::Store& store, Rebuilt rebuilt, std::map<base::UserId, std::string> hashes,
                     std::function<void(store::Transaction&)> also) {
    co_await store.write([rebuilt, hashes, also](store::Transaction& tx) {
        require_empty(tx);
        for (auto user : rebuilt.users) {
            user.password_hash = hashes.at(user.id);
            tx.users().insert(user);
        }
        for (const auto& each : rebuilt.projects)
            tx.projects().insert(each);
        for (const auto& each : rebuilt.workspaces)
            tx.workspaces().insert(each);
        also(tx);
    });
}

}  // namespace agentdb9::services
