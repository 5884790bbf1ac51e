#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Project;

constexpr SortKey kNewestFirst[] = {{"createdAt", SortKey::Kind::kTime}, {"id", SortKey::Kind::kId}};

const Table<Project>& table() {
    static const Table<Project> table(
        "projects", Project{.id = nil_id<model::ProjectId>(), .user_id = nil_id<model::UserId>()},
        {key<&Project::id>("id"), column<&Project::name>("name"),
         column<&Project::description>("description"), column<&Project::user_id>("userId"),
         column<&Project::repository_url>("repositoryUrl"), column<&Project::local_path>("localPath"),
         column<&Project::framework>("framework"), column<&Project::language>("language"),
         column<&Project::status>("status"), column<&Project::agents>("agents"),
         column<&Project::workspace_id>("workspaceId"), column<&Project::workspace_type>("workspaceType"),
         column<&Project::volume_path>("volumePath"), column<&Project::volume_name>("volumeName"),
         fixed<&Project::created_at>("createdAt"), column<&Project::updated_at>("updatedAt")});
    return table;
}

}  // namespace

void Projects::insert(const Project& project) {
    table().insert(db_, project);
}

void Projects::update(const Project& project) {
    table().update(db_, project);
}

void Projects::remove(const model::ProjectId& id) {
    db_.execute(R"(DELETE FROM "projects" WHERE "id" = $1)", {id.str()});
}

std::optional<Project> Projects::find(const model::ProjectId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

Listing<Project> Projects::of_user(const model::UserId& user, const Page& page) {
    return table().page(db_, R"("userId" = $1)", {user.str()}, kNewestFirst, page);
}

std::vector<Project> Projects::of_workspace(const model::WorkspaceId& workspace) {
    return table().select(db_, R"(WHERE "workspaceId" = $1 ORDER BY "createdAt" DESC, "id" DESC)",
                          {workspace.str()});
}

Listing<Project> Projects::unassigned(const model::UserId& user, const Page& page) {
    return table().page(db_, R"("userId" = $1 AND "workspaceId" IS NULL)", {user.str()}, kNewestFirst, page);
}

std::vector<Project> Projects::compatible(const model::UserId& user, const std::string& type) {
    return table().select(db_,
                          R"(WHERE "userId" = $1 AND ("workspaceType" IS NULL OR "workspaceType" = $2)
                             ORDER BY "createdAt" DESC, "id" DESC)",
                          {user.str(), type});
}

std::int64_t Projects::count_of_user(const model::UserId& user) {
    return db_.execute(R"(SELECT count(*) FROM "projects" WHERE "userId" = $1)", {user.str()})
        .rows.at(0)
        .integer(0);
}

void Projects::unassign_all(const model::WorkspaceId& workspace) {
    db_.execute(R"(UPDATE "projects" SET "workspaceId" = NULL, "workspaceType" = NULL
                   WHERE "workspaceId" = $1)",
                {workspace.str()});
}

std::vector<Project> Projects::all() {
    return table().select(db_, R"(ORDER BY "createdAt", "id")");
}

}  // namespace agentdb9::store
