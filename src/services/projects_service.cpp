#include "services/projects_service.hpp"

#include "services/access.hpp"
#include "services/snapshot.hpp"

namespace agentdb9::services {

using model::Project;
using store::Transaction;

namespace {

void apply(Project& project, const ProjectFields& fields) {
    if (fields.name) project.name = *fields.name;
    if (fields.description) project.description = fields.description;
    if (fields.repository_url) project.repository_url = fields.repository_url;
    if (fields.local_path) project.local_path = fields.local_path;
    if (fields.framework) project.framework = fields.framework;
    if (fields.language) project.language = *fields.language;
    if (fields.status) project.status = *fields.status;
    if (fields.agents) project.agents = *fields.agents;
}

}  // namespace

Task<Project> ProjectsService::create(base::UserId user, ProjectFields fields) {
    const auto now = clock_.now();
    Project project{.id = base::ProjectId::generate(), .name = {}, .user_id = user};
    project.language = "other";
    apply(project, fields);
    project.created_at = now;
    project.updated_at = now;
    co_await store_.write([project](Transaction& tx) { tx.projects().insert(project); });
    co_return co_await volumes_.ensure_project_volume(project);
}

Task<Project> ProjectsService::find(base::UserId user, base::ProjectId id) {
    co_return co_await store_.read([=](Transaction& tx) { return owned_project(tx, user, id); });
}

Task<store::Listing<Project>> ProjectsService::list(base::UserId user, store::Page page) {
    co_return co_await store_.read([=](Transaction& tx) { return tx.projects().of_user(user, page); });
}

Task<Project> ProjectsService::update(base::UserId user, base::ProjectId id, ProjectFields fields) {
    const auto now = clock_.now();
    co_return co_await store_.write([=](Transaction& tx) {
        auto project = owned_project(tx, user, id);
        apply(project, fields);
        project.updated_at = now;
        tx.projects().update(project);
        return project;
    });
}

Task<Project> ProjectsService::remove(base::UserId user, base::ProjectId id) {
    const auto now = clock_.now();
    const auto purge_after = now + trash_time_;
    auto [project, workspaces] = co_await store_.write([=](Transaction& tx) {
        auto row = owned_project(tx, user, id);
        require_project_free(tx, id, std::nullopt);
        std::vector<base::WorkspaceId> touched;
        for (auto& workspace : tx.workspaces().using_project(id)) {
            workspace.current_project_id.reset();
            workspace.updated_at = now;
            tx.workspaces().update(workspace);
            touched.push_back(workspace.id);
        }
        model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = user};
        tombstone.volume_name = row.volume_name.value_or(model::project_volume_name(id));
        tombstone.owner_id = id.str();
        tombstone.owner_name = row.name;
        tombstone.snapshot = snapshot_of(row);
        tombstone.deleted_at = now;
        tombstone.purge_after = purge_after;
        tx.tombstones().insert(tombstone);
        tx.projects().remove(id);
        return std::pair(row, touched);
    });
    // Their stopped containers still refer to the volume: they go.
    for (const auto& workspace : workspaces)
        reconciler_.desire_changed(workspace);
    co_return project;
}

}  // namespace agentdb9::services
