// API tokens and proxy tickets: what is shown once and kept as a hash.
#include "store/table.hpp"

namespace agentdb9::store {
namespace {

using model::ApiToken;
using model::ProxyTicket;

const Table<ApiToken>& token_table() {
    static const Table<ApiToken> table(
        "agentdb9_api_tokens",
        // A power that a later version knows is none here but the least.
        ApiToken{.id = nil_id<model::ApiTokenId>(),
                 .user_id = nil_id<model::UserId>(),
                 .power = model::TokenPower::kRead},
        {key<&ApiToken::id>("id"), column<&ApiToken::user_id>("userId"), column<&ApiToken::name>("name"),
         column<&ApiToken::token_hash>("tokenHash"), column<&ApiToken::hint>("hint"),
         fixed<&ApiToken::created_at>("createdAt"), column<&ApiToken::expires_at>("expiresAt"),
         column<&ApiToken::last_used_at>("lastUsedAt"), column<&ApiToken::revoked_at>("revokedAt"),
         fixed<&ApiToken::power>("power"), fixed<&ApiToken::workspace_id>("workspaceId")});
    return table;
}

const Table<ProxyTicket>& ticket_table() {
    static const Table<ProxyTicket> table(
        "agentdb9_proxy_tickets",
        ProxyTicket{.user_id = nil_id<model::UserId>(), .workspace_id = nil_id<model::WorkspaceId>()},
        {key<&ProxyTicket::ticket_hash>("ticketHash"), column<&ProxyTicket::user_id>("userId"),
         column<&ProxyTicket::session_id>("sessionId"), column<&ProxyTicket::api_token_id>("apiTokenId"),
         column<&ProxyTicket::workspace_id>("workspaceId"), column<&ProxyTicket::port>("port"),
         column<&ProxyTicket::expires_at>("expiresAt")});
    return table;
}

}  // namespace

void ApiTokens::insert(const ApiToken& token) {
    token_table().insert(db_, token);
}

std::optional<ApiToken> ApiTokens::find(const model::ApiTokenId& id) {
    return token_table().select_one(db_, R"(WHERE "id" = $1)", {id.str()});
}

std::optional<ApiToken> ApiTokens::find_by_hash(const std::string& hash) {
    return token_table().select_one(db_, R"(WHERE "tokenHash" = $1)", {hash});
}

std::vector<ApiToken> ApiTokens::of_user(const model::UserId& user) {
    return token_table().select(
        db_, R"(WHERE "userId" = $1 AND "revokedAt" IS NULL ORDER BY "createdAt" DESC, "id" DESC)",
        {user.str()});
}

std::vector<model::ApiTokenId> ApiTokens::revoked_since(model::Time time) {
    return read_ids<model::ApiTokenId>(
        db_.execute(R"(SELECT "id" FROM "agentdb9_api_tokens" WHERE "revokedAt" >= $1)", {encode(time)}));
}

void ApiTokens::touch(const model::ApiTokenId& id, model::Time used_at) {
    db_.execute(R"(UPDATE "agentdb9_api_tokens" SET "lastUsedAt" = $1
                   WHERE "id" = $2 AND ("lastUsedAt" IS NULL OR "lastUsedAt" < $1))",
                {encode(used_at), id.str()});
}

void ApiTokens::revoke(const model::ApiTokenId& id, model::Time at) {
    db_.execute(
        R"(UPDATE "agentdb9_api_tokens" SET "revokedAt" = $1 WHERE "id" = $2 AND "revokedAt" IS NULL)",
        {encode(at), id.str()});
}

std::int64_t ApiTokens::prune(model::Time revoked_before) {
    return db_
        .execute(R"(DELETE FROM "agentdb9_api_tokens" WHERE "revokedAt" < $1)", {encode(revoked_before)})
        .affected;
}

void ProxyTickets::insert(const ProxyTicket& ticket) {
    ticket_table().insert(db_, ticket);
}

bool ProxyTickets::exists(const std::string& hash) {
    return ticket_table().select_one(db_, R"(WHERE "ticketHash" = $1)", {hash}).has_value();
}

std::optional<ProxyTicket> ProxyTickets::take(const std::string& hash) {
    // One statement, so that of two servers that hold the same ticket only one gets it.
    const auto result = db_.execute(
        R"(DELETE FROM "agentdb9_proxy_tickets" WHERE "ticketHash" = $1 RETURNING )" + ticket_table().names(),
        {hash});
    return Table<ProxyTicket>::first(ticket_table().entities(result));
}

std::int64_t ProxyTickets::prune(model::Time expired_before) {
    return db_
        .execute(R"(DELETE FROM "agentdb9_proxy_tickets" WHERE "expiresAt" < $1)", {encode(expired_before)})
        .affected;
}

}  // namespace agentdb9::store
