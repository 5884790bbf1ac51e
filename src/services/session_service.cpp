#include "services/session_service.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "services/revocation_notice.hpp"

namespace agentdb9::services {
namespace {

bool is_open(const model::Session& session, base::Time now) {
    return !session.revoked_at && session.expires_at > now;
}

auth::Revocation ended(const base::SessionId& session) {
    return {.user = {}, .session = session, .api_token = {}, .except_session = {}};
}

void end_in(store::Transaction& tx, model::Session session, base::Time now) {
    session.revoked_at = now;
    tx.sessions().update(session);
    tx.notices().send(to_notice(ended(session.id)));
}

}  // namespace

Task<std::vector<model::Session>> SessionService::list(auth::Principal principal) {
    auto sessions = co_await store_.read(
        [user = principal.user](store::Transaction& tx) { return tx.sessions().of_user(user); });
    std::erase_if(sessions, [now = clock_.now()](const auto& each) { return !is_open(each, now); });
    std::ranges::sort(sessions, std::greater(), [&](const model::Session& each) {
        return std::tuple(principal.session == each.id, each.last_used_at, each.id);
    });
    co_return sessions;
}

Task<> SessionService::end(auth::Principal principal, base::SessionId id) {
    co_await store_.write([id, user = principal.user, now = clock_.now()](store::Transaction& tx) {
        auto session = tx.sessions().find(id);
        if (!session || session->user_id != user || !is_open(*session, now)) throw base::not_found("session");
        end_in(tx, std::move(*session), now);
    });
    authenticator_.revoke(ended(id));
}

Task<std::size_t> SessionService::end_others(auth::Principal principal) {
    const auto ids = co_await store_.write(
        [user = principal.user, own = principal.session, now = clock_.now()](store::Transaction& tx) {
            std::vector<base::SessionId> gone;
            for (auto& session : tx.sessions().of_user(user)) {
                if (session.id == own || !is_open(session, now)) continue;
                gone.push_back(session.id);
                end_in(tx, std::move(session), now);
            }
            return gone;
        });
    for (const auto& id : ids)
        authenticator_.revoke(ended(id));
    co_return ids.size();
}

}  // namespace agentdb9::services
