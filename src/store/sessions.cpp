#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::Session;

const Table<Session>& table() {
    static const Table<Session> table(
        "agentdb9_sessions", Session{.id = nil_id<model::SessionId>(), .user_id = nil_id<model::UserId>()},
        {key<&Session::id>("id"), column<&Session::user_id>("userId"),
         column<&Session::refresh_hash>("refreshHash"),
         column<&Session::previous_refresh_hash>("previousRefreshHash"), column<&Session::address>("address"),
         column<&Session::user_agent>("userAgent"), fixed<&Session::created_at>("createdAt"),
         column<&Session::last_used_at>("lastUsedAt"), column<&Session::expires_at>("expiresAt"),
         column<&Session::revoked_at>("revokedAt")});
    return table;
}

}  // namespace

void Sessions::insert(const Session& session) {
    table().insert(db_, session);
}

void Sessions::update(const Session& session) {
    table().update(db_, session);
}

std::optional<Session> Sessions::find(const model::SessionId& id) {
    return table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

std::optional<Session> Sessions::find_by_refresh_hash(const std::string& hash) {
    return table().select_one(db_, R"(WHERE "refreshHash" = $1 OR "previousRefreshHash" = $1)", {hash});
}

std::vector<Session> Sessions::of_user(const model::UserId& user) {
    return table().select(db_, R"(WHERE "userId" = $1 ORDER BY "createdAt" DESC, "id" DESC)", {user.str()});
}

std::vector<model::SessionId> Sessions::revoked_since(model::Time time) {
    return read_ids<model::SessionId>(
        db_.execute(R"(SELECT "id" FROM "agentdb9_sessions" WHERE "revokedAt" >= $1)", {encode(time)}));
}

void Sessions::revoke_all(const model::UserId& user, model::Time at,
                          const std::optional<model::SessionId>& except) {
    std::string sql =
        R"(UPDATE "agentdb9_sessions" SET "revokedAt" = $1 WHERE "userId" = $2 AND "revokedAt" IS NULL)";
    std::vector<Value> parameters{encode(at), user.str()};
    if (except) {
        sql += R"( AND "id" <> $3)";
        parameters.emplace_back(except->str());
    }
    db_.execute(sql, parameters);
}

std::int64_t Sessions::prune(model::Time expired_before) {
    return db_.execute(R"(DELETE FROM "agentdb9_sessions" WHERE "expiresAt" < $1)", {encode(expired_before)})
        .affected;
}

}  // namespace agentdb9::store
