// AccountService: how a session is kept going and how it ends.
#include <algorithm>

#include "auth/access_token.hpp"
#include "auth/tokens.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/accounts.hpp"
#include "services/revocation_notice.hpp"

namespace agentdb9::services {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kTwoPagesTime{10};
// Sessions that are over stay a while, so that a token of theirs is told from one that never was.
constexpr std::chrono::days kKeepEndedSessions{7};
constexpr std::size_t kMaxUserAgentBytes = 300;

Error invalid_refresh_token() {
    return Error(ErrorCode::kUnauthenticated, "invalid_refresh_token",
                 "The refresh token is not valid or its session has ended. Log in again.");
}

auth::Revocation ended(const base::SessionId& session) {
    return {.user = {}, .session = session, .api_token = {}, .except_session = {}};
}

enum class Exchange { kDone, kInvalid, kReused, kInProgress };
struct ExchangeResult {
    Exchange outcome = Exchange::kInvalid;
    std::optional<model::User> user;
    std::optional<model::Session> session;
};

// 1. The session is there, open, and its user active. 2. The token is its current one, else it was used
// before:
// 3. by two pages at once, or 4. by two owners, and the session ends. 5. A new token takes its place.
ExchangeResult exchange(store::Transaction& tx, const base::SessionId& id, const std::string& hash,
                        const std::string& next_hash, Reuse reuse, base::Time now) {
    auto session = tx.sessions().find(id);
    if (!session || session->revoked_at || session->expires_at <= now) return {};
    auto user = tx.users().find(session->user_id);
    if (!user || !user->is_active) return {};
    if (session->refresh_hash != hash) {
        if (reuse == Reuse::kMaybeTwoPages && session->previous_refresh_hash == hash &&
            now - session->last_used_at <= kTwoPagesTime) {
            return {Exchange::kInProgress, std::nullopt, std::nullopt};
        }
        session->revoked_at = now;
        tx.sessions().update(*session);
        tx.notices().send(to_notice(ended(id)));
        return {Exchange::kReused, std::move(user), std::move(session)};
    }
    session->previous_refresh_hash = std::exchange(session->refresh_hash, next_hash);
    session->last_used_at = now;
    session->expires_at = now + kSessionLife;
    tx.sessions().update(*session);
    return {Exchange::kDone, std::move(user), std::move(session)};
}

}  // namespace

Task<SessionTokens> AccountService::refresh(std::string refresh_token, Reuse reuse, Client client) {
    const auto id = auth::session_of_refresh_token(refresh_token, keys_.refresh_tokens);
    if (!id) throw invalid_refresh_token();
    auto next = auth::make_refresh_token(*id, keys_.refresh_tokens);
    auto result = co_await store_.write([id = *id, hash = auth::token_hash(refresh_token),
                                         next_hash = auth::token_hash(next), reuse,
                                         now = clock_.now()](store::Transaction& tx) {
        return exchange(tx, id, hash, next_hash, reuse, now);
    });
    switch (result.outcome) {
        case Exchange::kDone:
            break;
        case Exchange::kInvalid:
            throw invalid_refresh_token();
        case Exchange::kInProgress:
            throw base::conflict("refresh_in_progress",
                                 "This refresh token was exchanged a moment ago: use the new one.");
        case Exchange::kReused:
            authenticator_.revoke(ended(*id));
            log::warning("a refresh token was used again; its session has ended",
                         {{"user", result.user->id.view()}, {"address", client.address}});
            throw Error(ErrorCode::kUnauthenticated, "refresh_token_reused",
                        "The refresh token was used before, so its session has ended. Log in again.");
    }
    co_return tokens_of(std::move(*result.user), *result.session, std::move(next));
}

std::vector<std::string> AccountService::own_refresh_tokens(std::vector<std::string> texts) const {
    std::vector<std::string> own;
    std::vector<base::SessionId> sessions;
    for (auto& text : texts) {
        const auto session = auth::session_of_refresh_token(text, keys_.refresh_tokens);
        if (!session || std::ranges::find(sessions, *session) != sessions.end()) continue;
        sessions.push_back(*session);
        own.push_back(std::move(text));
    }
    return own;
}

Task<> AccountService::logout(auth::Principal principal, std::optional<std::string> refresh_token) {
    std::vector<base::SessionId> wanted;
    if (principal.session) wanted.push_back(*principal.session);
    if (refresh_token) {
        const auto other = auth::session_of_refresh_token(*refresh_token, keys_.refresh_tokens);
        if (other && other != principal.session) wanted.push_back(*other);
    }
    const auto revoked_ids =
        co_await store_.write([wanted, user = principal.user, now = clock_.now()](store::Transaction& tx) {
            std::vector<base::SessionId> revoked;
            for (const auto& id : wanted) {
                auto session = tx.sessions().find(id);
                if (!session || session->user_id != user) continue;
                if (!session->revoked_at) {
                    session->revoked_at = now;
                    tx.sessions().update(*session);
                    tx.notices().send(to_notice(ended(id)));
                }
                revoked.push_back(id);
            }
            return revoked;
        });
    for (const auto& id : revoked_ids)
        authenticator_.revoke(ended(id));
}

Task<> AccountService::prune() {
    co_await store_.write([now = clock_.now()](store::Transaction& tx) {
        tx.proxy_tickets().prune(now);
        tx.shares().prune(now);
        tx.sessions().prune(now - kKeepEndedSessions);
        tx.api_tokens().prune(now - kKeepEndedSessions);
    });
}

model::Session AccountService::make_session(const model::User& user, const Client& client) const {
    const auto now = clock_.now();
    return {.id = base::SessionId::generate(),
            .user_id = user.id,
            .refresh_hash = "",
            .previous_refresh_hash = std::nullopt,
            .address = client.address,
            .user_agent = base::as_storable_text(client.user_agent.substr(0, kMaxUserAgentBytes)),
            .created_at = now,
            .last_used_at = now,
            .expires_at = now + kSessionLife,
            .revoked_at = std::nullopt};
}

SessionTokens AccountService::tokens_of(model::User user, const model::Session& session,
                                        std::string refresh_token) const {
    auto access_token = auth::make_access_token(user, session.id, clock_.now(), keys_.access_tokens);
    return {std::move(user), std::move(access_token), std::move(refresh_token), auth::kAccessTokenLife,
            session.expires_at};
}

}  // namespace agentdb9::services
