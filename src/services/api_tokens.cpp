#include "services/api_tokens.hpp"

#include "auth/tokens.hpp"
#include "base/error.hpp"
#include "services/access.hpp"
#include "services/revocation_notice.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMaxTokensOfUser = 100;

}  // namespace

Task<std::vector<model::ApiToken>> ApiTokenService::list(auth::Principal principal) {
    auto rows = co_await store_.read(
        [user = principal.user](store::Transaction& tx) { return tx.api_tokens().of_user(user); });
    for (auto& row : rows)
        if (const auto used = authenticator_.noted_use(row.id)) row.last_used_at = *used;
    co_return rows;
}

Task<NewApiToken> ApiTokenService::create(auth::Principal principal, std::string name,
                                          std::optional<base::Time> expires_at, model::TokenScope scope) {
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
                             .revoked_at = std::nullopt,
                             .power = scope.power,
                             .workspace_id = scope.workspace},
                     .text = auth::make_api_token()};
    // Nobody's account can be reached by way of one workspace.
    if (scope.workspace && scope.power == model::TokenPower::kFull)
        made.row.power = model::TokenPower::kWrite;
    made.row.token_hash =
        made.row.scope().is_full() ? auth::token_hash(made.text) : auth::scoped_token_hash(made.text);
    made.row.hint = auth::api_token_hint(made.text);
    co_await store_.write([row = made.row](store::Transaction& tx) {
        if (row.workspace_id) owned_workspace(tx, row.user_id, *row.workspace_id);
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
