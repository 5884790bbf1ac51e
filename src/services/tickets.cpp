#include "services/tickets.hpp"

#include <algorithm>

#include "auth/application_cookie.hpp"
#include "auth/tokens.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "services/shares.hpp"

namespace agentdb9::services {
namespace {

using auth::Failure;

// When the session or API token behind the ticket ends; a Failure when it has.
std::expected<base::Time, Failure> end_of_permission(store::Transaction& tx, const model::ProxyTicket& ticket,
                                                     base::Time now) {
    if (ticket.session_id) {
        const auto session = tx.sessions().find(*ticket.session_id);
        if (!session || session->revoked_at || session->expires_at <= now)
            return std::unexpected(Failure::kRevoked);
        // The session's own end moves with each refresh and is looked at on each use of the cookie.
        return base::Time::max();
    }
    if (!ticket.api_token_id) return std::unexpected(Failure::kRevoked);
    const auto token = tx.api_tokens().find(*ticket.api_token_id);
    if (!token || token->revoked_at) return std::unexpected(Failure::kRevoked);
    const auto end = token->expires_at.value_or(base::Time::max());
    if (end <= now) return std::unexpected(Failure::kRevoked);
    return end;
}

std::expected<auth::ApplicationCookie, Failure> take(store::Transaction& tx, const std::string& hash,
                                                     const auth::ApplicationScope& scope, base::Time now) {
    const auto ticket = tx.proxy_tickets().take(hash);
    if (!ticket || ticket->workspace_id != scope.workspace || ticket->port != scope.port) {
        return std::unexpected(Failure::kMalformed);
    }
    if (ticket->expires_at <= now) return std::unexpected(Failure::kExpired);
    const auto end = end_of_permission(tx, *ticket, now);
    if (!end) return std::unexpected(end.error());
    const auto user = tx.users().find(ticket->user_id);
    const auto workspace = tx.workspaces().find(ticket->workspace_id);
    if (!user || !user->is_active || !workspace ||
        workspace->desired_state == model::DesiredState::kDeleted) {
        return std::unexpected(Failure::kRevoked);
    }
    // Another's: what the cookie opens is looked at on each use, but none is made for nothing.
    if (workspace->user_id != ticket->user_id &&
        !is_shared_with_users(tx, ticket->workspace_id, ticket->port, now)) {
        return std::unexpected(Failure::kRevoked);
    }
    return auth::ApplicationCookie{
        .user = ticket->user_id,
        .session = ticket->session_id,
        .api_token = ticket->api_token_id,
        .scope = scope,
        .expires_at = std::min<base::Time>(*end, now + auth::kApplicationCookieLife)};
}

}  // namespace

Task<Ticket> TicketService::issue(auth::Principal principal, base::WorkspaceId workspace, int port) {
    Ticket ticket{auth::make_ticket(), clock_.now() + kTicketLife};
    co_await store_.write([row = model::ProxyTicket{.ticket_hash = auth::token_hash(ticket.text),
                                                    .user_id = principal.user,
                                                    .session_id = principal.session,
                                                    .api_token_id = principal.api_token,
                                                    .workspace_id = workspace,
                                                    .port = port,
                                                    .expires_at = ticket.expires_at}](
                              store::Transaction& tx) { tx.proxy_tickets().insert(row); });
    co_return ticket;
}

Task<std::expected<auth::ApplicationCookie, Failure>> TicketService::use_up(std::string ticket,
                                                                            auth::ApplicationScope scope) {
    if (!auth::is_ticket(ticket)) co_return std::unexpected(Failure::kMalformed);
    const auto hash = auth::token_hash(ticket);
    try {
        // Whoever makes tickets up needs no credential for it, and must not take the writers' turns.
        const bool known =
            co_await store_.read([hash](store::Transaction& tx) { return tx.proxy_tickets().exists(hash); });
        if (!known) co_return std::unexpected(Failure::kMalformed);
        co_return co_await store_.write(
            [hash, scope, now = clock_.now()](store::Transaction& tx) { return take(tx, hash, scope, now); });
    } catch (const base::Error& error) {
        log::warning("a ticket could not be checked", {{"reason", error.what()}});
    }
    co_return std::unexpected(Failure::kUnavailable);
}

Task<std::expected<SealedCookie, Failure>> TicketService::redeem(std::string ticket,
                                                                 base::WorkspaceId workspace, int port) {
    const auto cookie = co_await use_up(std::move(ticket), {workspace, port});
    if (!cookie) co_return std::unexpected(cookie.error());
    co_return SealedCookie{auth::seal_application_cookie(*cookie, keys_.application_cookies),
                           cookie->expires_at};
}

Task<std::expected<auth::Principal, Failure>> TicketService::redeem_for_terminal(
    std::string ticket, base::WorkspaceId workspace) {
    const auto cookie = co_await use_up(std::move(ticket), {workspace, kTerminalPort});
    if (!cookie) co_return std::unexpected(cookie.error());
    auth::Principal caller{.user = cookie->user,
                           .email = {},
                           .username = {},
                           .session = cookie->session,
                           .api_token = cookie->api_token,
                           .scope = {},
                           .expires_at = clock_.now()};
    // What goes on under an API token ends with it.
    if (cookie->api_token && cookie->expires_at < clock_.now() + auth::kApplicationCookieLife)
        caller.ends_at = cookie->expires_at;
    co_return caller;
}

}  // namespace agentdb9::services
