// Proxy tickets: how a browser, which sends no bearer token, gets the cookie of one application. Control
// executor.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "auth/application_cookie.hpp"
#include "auth/failure.hpp"
#include "auth/keys.hpp"
#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

inline constexpr std::chrono::seconds kTicketLife{60};

struct Ticket {
    std::string text;
    base::Time expires_at;
};

struct SealedCookie {
    std::string value;
    base::Time expires_at;
};

// In place of a port, on a ticket for a terminal: no application has it.
inline constexpr int kTerminalPort = 0;

class TicketService {
  public:
    // All references outlive this.
    TicketService(store::Store& store, const base::Clock& clock, const auth::Keys& keys)
        : store_(store), clock_(clock), keys_(keys) {}

    // The caller has checked that the principal may open this port of the workspace. Throws base::Error.
    Task<Ticket> issue(auth::Principal principal, base::WorkspaceId workspace, int port);

    // Uses the ticket up, whatever comes of it. kMalformed: never issued, used, or issued for another
    // workspace or port. kExpired: too old. kRevoked: its session or API token has ended, its user is not
    // active, or the workspace's port is neither the user's any more nor shared. kUnavailable: the store does
    // not answer. Throws only when cancelled.
    Task<std::expected<SealedCookie, auth::Failure>> redeem(std::string ticket, base::WorkspaceId workspace,
                                                            int port);

    // The same for one that was issued for the workspace's terminals, by the user whose workspace it is.
    Task<std::expected<auth::Principal, auth::Failure>> redeem_for_terminal(std::string ticket,
                                                                            base::WorkspaceId workspace);

  private:
    Task<std::expected<auth::ApplicationCookie, auth::Failure>> use_up(std::string ticket,
                                                                       auth::ApplicationScope scope);

    store::Store& store_;
    const base::Clock& clock_;
    const auth::Keys& keys_;
};

}  // namespace agentdb9::services
