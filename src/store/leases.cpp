#include "store/codec.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {

std::optional<std::int64_t> Leases::take(const model::WorkspaceId& workspace, const std::string& holder,
                                         std::chrono::milliseconds time) {
    const auto now = db_.now();
    const auto found =
        db_.execute(R"(SELECT "holder", "token", "until" FROM "agentdb9_leases" WHERE "workspaceId" = $1)",
                    {workspace.str()});
    std::int64_t token = 1;
    if (!found.rows.empty()) {
        const auto& row = found.rows.front();
        const auto until = Codec<model::Time>::decode(row.value(2));
        const bool mine = row.text(0) == holder;
        if (!mine && until && *until > now) return std::nullopt;
        token = row.integer(1) + (mine ? 0 : 1);
    }
    db_.execute(
        R"(INSERT INTO "agentdb9_leases" ("workspaceId", "holder", "token", "until") VALUES ($1, $2, $3, $4)
                   ON CONFLICT ("workspaceId") DO UPDATE
                   SET "holder" = excluded."holder", "token" = excluded."token", "until" = excluded."until")",
        {workspace.str(), holder, token, Codec<model::Time>::encode(now + time)});
    return token;
}

bool Leases::holds(const model::WorkspaceId& workspace, const std::string& holder, std::int64_t token) {
    const auto found = db_.execute(
        R"(SELECT "until" FROM "agentdb9_leases" WHERE "workspaceId" = $1 AND "holder" = $2 AND "token" = $3)",
        {workspace.str(), holder, token});
    if (found.rows.empty()) return false;
    const auto until = Codec<model::Time>::decode(found.rows.front().value(0));
    return until && *until > db_.now();
}

void Leases::release(const model::WorkspaceId& workspace, const std::string& holder) {
    // The row stays for its token, which must not be given out twice.
    const auto freed =
        db_.execute(R"(UPDATE "agentdb9_leases" SET "until" = $1 WHERE "workspaceId" = $2 AND "holder" = $3)",
                    {Codec<model::Time>::encode(model::Time()), workspace.str(), holder});
    if (freed.affected > 0) db_.notify("workspace " + workspace.str());
}

void Leases::forget(const model::WorkspaceId& workspace) {
    db_.execute(R"(DELETE FROM "agentdb9_leases" WHERE "workspaceId" = $1)", {workspace.str()});
}

std::vector<model::WorkspaceId> Leases::orphans() {
    std::vector<model::WorkspaceId> found;
    for (const auto& row : db_.execute(R"(SELECT "workspaceId" FROM "agentdb9_leases"
                                          WHERE "workspaceId" NOT IN (SELECT "id" FROM "workspaces"))")
                               .rows) {
        if (auto id = model::WorkspaceId::parse(row.text(0))) found.push_back(*id);
    }
    return found;
}

void Notices::send(const std::string& text) {
    db_.notify(text);
}

}  // namespace agentdb9::store
