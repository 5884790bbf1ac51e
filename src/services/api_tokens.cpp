#include "services/api_tokens.hpp"

#include "auth/tokens.hpp"
#include "base/error.hpp"
#include "services/revocation_notice.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMaxTokensOfUser = 100;

}  // namespace

Task<std::vector<model::ApiToken>> ApiTokenService::list(auth::Principal principal) {
    co_return co_await store_.read(
        [user = principal.user](store::Transaction& tx) { return tx.api_tokens().of_user(user); });
}

Task<NewApiToken> ApiTokenService::create(auth::Principal principal, std::string name,
                                          std::optional<base::Time> expires_at) {
    if (!principal.session) {
        throw base::Error(base::ErrorCode::kForbidden, "session_required",
                          "API tokens are made by people: log in, and make it with the access token.");
    }
    const auto now = clock_.now();
    if (expires_at && *expires_at <= now) throw base::invalid_field("expiresAt", "must lie ahead");
    NewApiToken made{.row = {.id = base::ApiTokenId::generate(),
                             .user_id = principal.user,
                             .name = std::move(name),
                             .token_hash = "",
                             .hint = "",
                             .created_at = now,
                             .expires_at = expires_at,
                             .last_used_at = std::nullopt,
                             .revoked_at = std::nullopt},
                     .text = auth::make_api_token()};
    made.row.token_hash = auth::token_hash(made.text);
    made.row.hint = auth::api_token_hint(made.text);
    co_await store_.write([row = made.row](store::Transaction& tx) {
        if (tx.api_tokens().of_user(row.user_id).size() >= kMaxTokensOfUser) {
            throw base::Error(base::ErrorCode::kQuota, "too_many_tokens",
                              "You have " + std::to_string(kMaxTokensOfUser) +
                                  " API tokens: delete one that is not used any more first.");
        }
        tx.api_tokens().insert(row);
    });
    co_return made;
}

Task<> ApiTokenService::remove(auth::Principal principal, base::ApiTokenId id) {
    const auth::Revocation revocation{.user = {}, .session = {}, .api_token = id, .except_session = {}};
    co_await store_.write(
        [revocation, id, user = principal.user, now = clock_.now()](store::Transaction& tx) {
            const auto row = tx.api_tokens().find(id);
            if (!row || row->user_id != user || row->revoked_at) throw base::not_found("token");
            tx.api_tokens().revoke(id, now);
            tx.notices().send(to_notice(revocation));
        });
    authenticator_.revoke(revocation);
}

}  // namespace agentdb9::services
