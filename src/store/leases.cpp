#include "store/codec.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {

struct Leases::Held {
    std::string workspace;
    std::string holder;
    std::int64_t token = 0;
    std::optional<model::Time> until;
    std::optional<model::Time> absent_since;
};

std::optional<Leases::Held> Leases::find(const std::string& workspace) {
    const auto found = db_.execute(
        R"(SELECT "holder", "token", "until", "absentSince" FROM "agentdb9_leases" WHERE "workspaceId" = $1)",
        {workspace});
    if (found.rows.empty()) return std::nullopt;
    const auto& row = found.rows.front();
    return Held{.workspace = workspace,
                .holder = row.text(0),
                .token = row.integer(1),
                .until = Codec<model::Time>::decode(row.value(2)),
                .absent_since = Codec<model::Time>::decode(row.value(3))};
}

// It may be away for a moment only, as all are while the database itself is started again.
bool Leases::in_force(const Held& lease, model::Time now) {
    if (!lease.until || *lease.until <= now) return false;
    if (db_.present(lease.holder)) {
        if (lease.absent_since) note_absence(lease.workspace, std::nullopt);
        return true;
    }
    if (lease.absent_since) return now - *lease.absent_since < kGoneAfter;
    note_absence(lease.workspace, now);
    return true;
}

void Leases::note_absence(const std::string& workspace, const std::optional<model::Time>& since) {
    db_.execute(R"(UPDATE "agentdb9_leases" SET "absentSince" = $1 WHERE "workspaceId" = $2)",
                {encode(since), workspace});
}

std::optional<std::int64_t> Leases::take(const model::WorkspaceId& workspace, const std::string& holder,
                                         std::chrono::milliseconds time) {
    const auto now = db_.now();
    std::int64_t token = 1;
    if (const auto lease = find(workspace.str())) {
        const bool mine = lease->holder == holder;
        if (!mine && in_force(*lease, now)) return std::nullopt;
        token = lease->token + (mine ? 0 : 1);
    }
    db_.execute(
        R"(INSERT INTO "agentdb9_leases" ("workspaceId", "holder", "token", "until", "absentSince")
                   VALUES ($1, $2, $3, $4, NULL)
                   ON CONFLICT ("workspaceId") DO UPDATE
                   SET "holder" = excluded."holder", "token" = excluded."token", "until" = excluded."until",
                       "absentSince" = NULL)",
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
    if (freed.affected == 0) return;
    db_.execute(R"(DELETE FROM "agentdb9_volume_claims" WHERE "workspaceId" = $1)", {workspace.str()});
    db_.notify("workspace " + workspace.str());
}

void Leases::forget(const model::WorkspaceId& workspace) {
    db_.execute(R"(DELETE FROM "agentdb9_leases" WHERE "workspaceId" = $1)", {workspace.str()});
    db_.execute(R"(DELETE FROM "agentdb9_volume_claims" WHERE "workspaceId" = $1)", {workspace.str()});
}

void Leases::came_back(const std::string& holder) {
    db_.execute(
        R"(UPDATE "agentdb9_leases" SET "absentSince" = NULL WHERE "holder" = $1 AND "absentSince" IS NOT NULL)",
        {holder});
}

bool Leases::claim_volume(const std::string& volume, const model::WorkspaceId& workspace,
                          std::int64_t token) {
    const auto found = db_.execute(
        R"(SELECT "workspaceId", "token" FROM "agentdb9_volume_claims" WHERE "volume" = $1)", {volume});
    if (!found.rows.empty() && found.rows.front().text(0) != workspace.str()) {
        const auto other = find(found.rows.front().text(0));
        const bool current = other && other->token == found.rows.front().integer(1);
        if (current && in_force(*other, db_.now())) return false;
    }
    db_.execute(R"(INSERT INTO "agentdb9_volume_claims" ("volume", "workspaceId", "token") VALUES ($1, $2, $3)
                   ON CONFLICT ("volume") DO UPDATE
                   SET "workspaceId" = excluded."workspaceId", "token" = excluded."token")",
                {volume, workspace.str(), token});
    return true;
}

std::vector<model::WorkspaceId> Leases::orphans() {
    std::vector<model::WorkspaceId> found;
    for (const auto& row : db_.execute(R"(SELECT "workspaceId" FROM "agentdb9_leases"
                                          WHERE "workspaceId" NOT IN (SELECT CAST("id" AS text) FROM "workspaces"))")
                               .rows) {
        if (auto id = model::WorkspaceId::parse(row.text(0))) found.push_back(*id);
    }
    return found;
}

void Notices::send(const std::string& text) {
    db_.notify(text);
}

}  // namespace agentdb9::store
