#include "base/error.hpp"
#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::ProjectOperation;

constexpr SortKey kNewestFirst[] = {{"sequence", SortKey::Kind::kInteger}};

const Table<ProjectOperation>& table() {
    static const Table<ProjectOperation> table(
        "agentdb9_project_operations",
        ProjectOperation{.id = nil_id<model::OperationId>(),
                         .project_id = nil_id<model::ProjectId>(),
                         .user_id = nil_id<model::UserId>(),
                         .state = model::OperationState::kFailed},
        {key<&ProjectOperation::id>("id"), fixed<&ProjectOperation::project_id>("projectId"),
         fixed<&ProjectOperation::user_id>("userId"), fixed<&ProjectOperation::kind>("kind"),
         column<&ProjectOperation::state>("state"), column<&ProjectOperation::phase>("phase"),
         column<&ProjectOperation::progress>("progress"), column<&ProjectOperation::error_code>("errorCode"),
         column<&ProjectOperation::error>("error"), fixed<&ProjectOperation::requested_by>("requestedBy"),
         fixed<&ProjectOperation::backup_id>("backupId"),
         fixed<&ProjectOperation::new_project_id>("newProjectId"),
         column<&ProjectOperation::volume_name>("volumeName"), fixed<&ProjectOperation::server>("server"),
         // These two are written by renew() and freeze(), on the clock that all servers share.
         fixed<&ProjectOperation::renewed_at>("renewedAt"),
         fixed<&ProjectOperation::frozen_until>("frozenUntil"),
         fixed<&ProjectOperation::created_at>("createdAt"),
         column<&ProjectOperation::started_at>("startedAt"),
         column<&ProjectOperation::finished_at>("finishedAt")});
    return table;
}

// The table's own insert with the project's next number beside it.
const std::string& insert_sql() {
    static const std::string sql = [] {
        std::string text =
            R"(INSERT INTO "agentdb9_project_operations" ()" + table().names() + R"(, "sequence") VALUES ()";
        const std::size_t count = table().column_count();
        for (std::size_t i = 1; i <= count; ++i)
            text += "$" + std::to_string(i) + ", ";
        return text +
               R"((SELECT COALESCE(MAX("sequence"), 0) + 1 FROM "agentdb9_project_operations" WHERE "projectId" = $)" +
               std::to_string(count + 1) + "))";
    }();
    return sql;
}

constexpr auto kOpen = R"("state" IN ('pending', 'running'))";

}  // namespace

void ProjectOperations::insert(ProjectOperation operation) {
    operation.renewed_at = db_.now();
    auto parameters = table().values_of(operation);
    parameters.emplace_back(operation.project_id.str());
    try {
        db_.execute(insert_sql(), parameters);
    } catch (const base::Error& error) {
        if (error.word() != "duplicate") throw;
        throw base::conflict("project_busy",
                             "A backup or restore of this project is under way: wait until that has ended.")
            .with_internal(error.internal());
    }
}

void ProjectOperations::update(const ProjectOperation& operation) {
    table().update(db_, operation);
}

std::optional<ProjectOperation> ProjectOperations::find(const model::OperationId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

Listing<ProjectOperation> ProjectOperations::of_project(const model::UserId& user,
                                                        const model::ProjectId& project, const Page& page) {
    return table().page(db_, R"("projectId" = $1 AND "userId" = $2)", {project.str(), user.str()},
                        kNewestFirst, page);
}

Listing<ProjectOperation> ProjectOperations::of_user(const model::UserId& user, const Page& page) {
    return table().page(db_, R"("userId" = $1)", {user.str()}, kNewestFirst, page);
}

std::vector<ProjectOperation> ProjectOperations::open() {
    return table().select(db_, std::string("WHERE ") + kOpen + R"( ORDER BY "createdAt", "id")");
}

std::vector<ProjectOperation> ProjectOperations::open_of_user(const model::UserId& user) {
    return table().select(
        db_, std::string(R"(WHERE "userId" = $1 AND )") + kOpen + R"( ORDER BY "createdAt", "id")",
        {user.str()});
}

bool ProjectOperations::uses_backup(const model::BackupId& backup) {
    return table()
        .select_one(db_, std::string(R"(WHERE "backupId" = $1 AND )") + kOpen, {backup.str()})
        .has_value();
}

void ProjectOperations::freeze(const model::OperationId& id, std::chrono::milliseconds time) {
    db_.execute(R"(UPDATE "agentdb9_project_operations" SET "frozenUntil" = $1 WHERE "id" = $2)",
                {time.count() > 0 ? encode(db_.now() + time) : Value(nullptr), id.str()});
}

bool ProjectOperations::is_frozen(const model::ProjectId& project) {
    return table()
        .select_one(db_, std::string(R"(WHERE "projectId" = $1 AND "frozenUntil" > $2 AND )") + kOpen,
                    {project.str(), encode(db_.now())})
        .has_value();
}

void ProjectOperations::renew(const std::string& server) {
    db_.execute(
        std::string(R"(UPDATE "agentdb9_project_operations" SET "renewedAt" = $1 WHERE "server" = $2 AND )") +
            kOpen,
        {encode(db_.now()), server});
}

std::vector<ProjectOperation> ProjectOperations::abandoned(const std::string& server,
                                                           std::optional<std::chrono::milliseconds> silence) {
    std::string condition = std::string(R"(WHERE "server" <> $1 AND )") + kOpen;
    std::vector<Value> parameters{server};
    if (silence) {
        condition += R"( AND "renewedAt" < $2)";
        parameters.push_back(encode(db_.now() - *silence));
    }
    return table().select(db_, condition + R"( ORDER BY "createdAt", "id")", parameters);
}

std::int64_t ProjectOperations::prune(model::Time before) {
    return db_
        .execute(
            std::string(R"(DELETE FROM "agentdb9_project_operations" WHERE "finishedAt" < $1 AND NOT )") +
                kOpen,
            {encode(before)})
        .affected;
}

}  // namespace agentdb9::store
