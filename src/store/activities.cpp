#include "store/codec.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {

void Activities::note(const model::WorkspaceId& workspace, const model::ActivityMark& mark) {
    db_.execute(
        R"(INSERT INTO "agentdb9_workspace_activity" ("workspaceId", "source", "at") VALUES ($1, $2, $3)
                   ON CONFLICT ("workspaceId", "source") DO UPDATE SET "at" = excluded."at"
                   WHERE excluded."at" > "agentdb9_workspace_activity"."at")",
        {workspace.str(), mark.source, encode(mark.at)});
}

std::vector<model::ActivityMark> Activities::of_workspace(const model::WorkspaceId& workspace) {
    const auto result = db_.execute(
        R"(SELECT "source", "at" FROM "agentdb9_workspace_activity" WHERE "workspaceId" = $1
           ORDER BY "at" DESC, "source")",
        {workspace.str()});
    std::vector<model::ActivityMark> marks;
    for (const auto& row : result.rows) {
        model::ActivityMark mark;
        decode(row.value(0), mark.source);
        decode(row.value(1), mark.at);
        marks.push_back(std::move(mark));
    }
    return marks;
}

}  // namespace agentdb9::store
