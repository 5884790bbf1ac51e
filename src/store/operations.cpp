#include "base/error.hpp"
#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Operation;

constexpr SortKey kNewestFirst[] = {{"sequence", SortKey::Kind::kInteger}};

const Table<Operation>& table() {
    static const Table<Operation> table(
        "agentdb9_operations",
        Operation{.id = nil_id<model::OperationId>(),
                  .workspace_id = nil_id<model::WorkspaceId>(),
                  .state = model::OperationState::kFailed},
        {key<&Operation::id>("id"), column<&Operation::workspace_id>("workspaceId"),
         column<&Operation::kind>("kind"), column<&Operation::state>("state"),
         column<&Operation::phase>("phase"), column<&Operation::progress>("progress"),
         column<&Operation::error_code>("errorCode"), column<&Operation::error>("error"),
         column<&Operation::requested_by>("requestedBy"), column<&Operation::project_id>("projectId"),
         column<&Operation::force>("force"), fixed<&Operation::created_at>("createdAt"),
         column<&Operation::started_at>("startedAt"), column<&Operation::finished_at>("finishedAt")});
    return table;
}

// The table's own insert with the next number of the workspace beside it.
const std::string& insert_sql() {
    static const std::string sql = [] {
        std::string text =
            R"(INSERT INTO "agentdb9_operations" ()" + table().names() + R"(, "sequence") VALUES ()";
        const std::size_t count = table().column_count();
        for (std::size_t i = 1; i <= count; ++i)
            text += "$" + std::to_string(i) + ", ";
        return text +
               R"((SELECT COALESCE(MAX("sequence"), 0) + 1 FROM "agentdb9_operations" WHERE "workspaceId" = $)" +
               std::to_string(count + 1) + "))";
    }();
    return sql;
}

}  // namespace

void Operations::insert(const Operation& operation) {
    auto parameters = table().values_of(operation);
    parameters.emplace_back(operation.workspace_id.str());
    try {
        db_.execute(insert_sql(), parameters);
        db_.notify("workspace " + operation.workspace_id.str());
    } catch (const base::Error& error) {
        if (error.word() != "duplicate" || !model::is_open(operation.state)) throw;
        throw base::conflict("operation_in_progress",
                             "The workspace is busy with another operation: wait until that has ended.")
            .with_internal(error.internal());
    }
}

void Operations::update(const Operation& operation) {
    table().update(db_, operation);
    db_.notify("workspace " + operation.workspace_id.str());
}

std::optional<Operation> Operations::find(const model::OperationId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

std::optional<Operation> Operations::open_of(const model::WorkspaceId& workspace) {
    return table().select_one(db_, R"(WHERE "workspaceId" = $1 AND "state" IN ('pending', 'running'))",
                              {workspace.str()});
}

std::optional<Operation> Operations::latest_of(const model::WorkspaceId& workspace) {
    return table().select_one(db_, R"(WHERE "workspaceId" = $1 ORDER BY "sequence" DESC)", {workspace.str()});
}

Listing<Operation> Operations::of_workspace(const model::WorkspaceId& workspace, const Page& page) {
    return table().page(db_, R"("workspaceId" = $1)", {workspace.str()}, kNewestFirst, page);
}

bool Operations::any_since(const model::UserId& user, model::Time time) {
    return !db_.execute(R"(SELECT "id" FROM "agentdb9_operations"
                            WHERE ("finishedAt" IS NULL OR "finishedAt" >= $1)
                              AND ("requestedBy" = $2 OR "workspaceId" IN
                                   (SELECT CAST("id" AS text) FROM "workspaces" WHERE CAST("userId" AS text) = $2))
                            LIMIT 1)",
                        {encode(time), user.str()})
                .rows.empty();
}

std::int64_t Operations::prune(model::Time before) {
    return db_
        .execute(R"(DELETE FROM "agentdb9_operations"
                    WHERE "state" NOT IN ('pending', 'running') AND "finishedAt" < $1
                      AND ("sequence" < (SELECT MAX("newer"."sequence") FROM "agentdb9_operations" AS "newer"
                                         WHERE "newer"."workspaceId" = "agentdb9_operations"."workspaceId")
                           OR "workspaceId" NOT IN (SELECT CAST("id" AS text) FROM "workspaces")))",
                 {encode(before)})
        .affected;
}

}  // namespace agentdb9::store
