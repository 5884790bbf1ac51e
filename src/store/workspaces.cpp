#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Workspace;

constexpr SortKey kDefaultFirst[] = {
    {"isDefault", SortKey::Kind::kFlag}, {"createdAt", SortKey::Kind::kTime}, {"id", SortKey::Kind::kId}};
constexpr std::string_view kDefaultFirstSql = R"( ORDER BY "isDefault" DESC, "createdAt" DESC, "id" DESC)";

const Table<Workspace>& table() {
    static const Table<Workspace> table(
        "workspaces",
        Workspace{.id = nil_id<model::WorkspaceId>(), .user_id = nil_id<model::UserId>(), .type = "vscode"},
        {key<&Workspace::id>("id"),
         column<&Workspace::name>("name"),
         column<&Workspace::description>("description"),
         column<&Workspace::user_id>("userId"),
         column<&Workspace::type>("type"),
         column<&Workspace::current_project_id>("currentProjectId"),
         column<&Workspace::config>("config"),
         column<&Workspace::status>("status"),
         column<&Workspace::container_name>("containerName"),
         column<&Workspace::volume_name>("volumeName"),
         column<&Workspace::is_default>("isDefault"),
         fixed<&Workspace::created_at>("createdAt"),
         column<&Workspace::updated_at>("updatedAt"),
         column<&Workspace::desired_state>("desiredState"),
         column<&Workspace::phase>("phase"),
         column<&Workspace::generation>("generation"),
         column<&Workspace::last_generation>("lastGeneration"),
         column<&Workspace::next_generation>("nextGeneration"),
         column<&Workspace::next_project_id>("nextProjectId"),
         column<&Workspace::last_error>("lastError"),
         column<&Workspace::held>("held"),
         column<&Workspace::wake_on_request>("wakeOnRequest"),
         column<&Workspace::restarts>("restarts"),
         column<&Workspace::restarted_at>("restartedAt"),
         column<&Workspace::unhealthy_since>("unhealthySince"),
         column<&Workspace::idle_stop_minutes>("idleStopMinutes"),
         column<&Workspace::keep_alive_until>("keepAliveUntil"),
         column<&Workspace::idle_warned_at>("idleWarnedAt"),
         column<&Workspace::schedule>("schedule"),
         column<&Workspace::schedule_seen_at>("scheduleSeenAt"),
         column<&Workspace::limits>("resourceLimits"),
         column<&Workspace::memory_held_mb>("memoryHeld")});
    return table;
}

// The other servers look at it again.
void tell(Connection& db, const model::WorkspaceId& workspace) {
    db.notify("workspace " + workspace.str());
}

}  // namespace

void Workspaces::insert(const Workspace& workspace) {
    table().insert(db_, workspace);
    tell(db_, workspace.id);
}

void Workspaces::update(const Workspace& workspace) {
    table().update(db_, workspace);
    tell(db_, workspace.id);
}

void Workspaces::remove(const model::WorkspaceId& id) {
    db_.execute(R"(DELETE FROM "workspaces" WHERE "id" = $1)", {id.str()});
    db_.execute(R"(DELETE FROM "agentdb9_shares" WHERE "workspaceId" = $1)", {id.str()});
    db_.execute(R"(DELETE FROM "agentdb9_workspace_activity" WHERE "workspaceId" = $1)", {id.str()});
    tell(db_, id);
}

std::optional<Workspace> Workspaces::find(const model::WorkspaceId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

Listing<Workspace> Workspaces::of_user(const model::UserId& user, const Page& page) {
    return table().page(db_, R"("userId" = $1)", {user.str()}, kDefaultFirst, page);
}

std::vector<Workspace> Workspaces::of_user_and_type(const model::UserId& user, const std::string& type) {
    return table().select(db_, R"(WHERE "userId" = $1 AND "type" = $2)" + std::string(kDefaultFirstSql),
                          {user.str(), type});
}

std::vector<Workspace> Workspaces::using_project(const model::ProjectId& project) {
    // Two parameters for one value: the columns may be of different types in PostgreSQL.
    return table().select(
        db_, R"(WHERE "currentProjectId" = $1 OR "nextProjectId" = $2)" + std::string(kDefaultFirstSql),
        {project.str(), project.str()});
}

void Workspaces::clear_default(const model::UserId& user) {
    const auto changed = read_ids<model::WorkspaceId>(db_.execute(
        R"(UPDATE "workspaces" SET "isDefault" = false WHERE "userId" = $1 AND "isDefault" RETURNING "id")",
        {user.str()}));
    for (const auto& id : changed)
        tell(db_, id);
}

std::vector<model::WorkspaceId> Workspaces::unsettled() {
    // A failed one counts: something of it may still lie in the runtime.
    return read_ids<model::WorkspaceId>(db_.execute(
        R"(SELECT "id" FROM "workspaces"
           WHERE "desiredState" <> 'stopped' OR "phase" <> 'stopped' OR "nextGeneration" IS NOT NULL
              OR CAST("id" AS text) IN
                 (SELECT "workspaceId" FROM "agentdb9_operations" WHERE "state" IN ('pending', 'running'))
           ORDER BY "createdAt", "id")"));
}

std::vector<Workspace> Workspaces::wanted_running() {
    return table().select(db_, R"(WHERE "desiredState" = 'running' ORDER BY "createdAt", "id")");
}

std::vector<Workspace> Workspaces::scheduled() {
    return table().select(
        db_, R"(WHERE "schedule" IS NOT NULL AND "desiredState" <> 'deleted' ORDER BY "createdAt", "id")");
}

std::vector<Workspace> Workspaces::all() {
    return table().select(db_, R"(ORDER BY "createdAt", "id")");
}

}  // namespace agentdb9::store
