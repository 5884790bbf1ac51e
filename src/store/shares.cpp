#include "model/share.hpp"

#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Share;

const Table<Share>& table() {
    // A level that cannot be understood must not open anything to everybody.
    static const Table<Share> table(
        "agentdb9_shares",
        Share{.id = nil_id<model::ShareId>(),
              .workspace_id = nil_id<model::WorkspaceId>(),
              .user_id = nil_id<model::UserId>(),
              .level = model::ShareLevel::kLink},
        {key<&Share::id>("id"), column<&Share::workspace_id>("workspaceId"),
         column<&Share::user_id>("userId"), column<&Share::port>("port"), column<&Share::level>("level"),
         fixed<&Share::created_at>("createdAt"), column<&Share::expires_at>("expiresAt")});
    return table;
}

}  // namespace

void Shares::insert(const Share& share) {
    table().insert(db_, share);
}

void Shares::remove(const model::ShareId& id) {
    db_.execute(R"(DELETE FROM "agentdb9_shares" WHERE "id" = $1)", {id.str()});
}

void Shares::remove_all(const model::WorkspaceId& workspace) {
    db_.execute(R"(DELETE FROM "agentdb9_shares" WHERE "workspaceId" = $1)", {workspace.str()});
}

std::optional<Share> Shares::find(const model::ShareId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

std::vector<Share> Shares::of_workspace(const model::WorkspaceId& workspace) {
    return table().select(db_, R"(WHERE "workspaceId" = $1 ORDER BY "createdAt" DESC, "id" DESC)",
                          {workspace.str()});
}

std::vector<Share> Shares::in_force(model::Time now) {
    // The ids of an existing installation's tables are of another type in PostgreSQL.
    return table().select(db_, R"(
        WHERE ("expiresAt" IS NULL OR "expiresAt" > $1)
          AND EXISTS (SELECT 1 FROM "workspaces" w JOIN "users" u ON CAST(u."id" AS text) = CAST(w."userId" AS text)
                      WHERE CAST(w."id" AS text) = "agentdb9_shares"."workspaceId"
                        AND w."desiredState" <> 'deleted' AND u."isActive")
        ORDER BY "workspaceId", "createdAt", "id")",
                          {encode(now)});
}

std::int64_t Shares::prune(model::Time expired_before) {
    return db_.execute(R"(DELETE FROM "agentdb9_shares" WHERE "expiresAt" < $1)", {encode(expired_before)})
        .affected;
}

}  // namespace agentdb9::store
