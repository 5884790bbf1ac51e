// What keeps a running server's TLS fresh: certificates that were renewed, and keys that do not last.
#include "base/log.hpp"
#include "cli/server.hpp"
#include "cli/tls.hpp"

namespace agentdb9::cli {

// All of it or nothing: a listener never has one half of a renewal.
void Server::reload_tls(const config::ServerSettings& fresh) {
    const auto& running = core_.configuration.server;
    if (has_api_tls(fresh) != has_api_tls(running) ||
        has_applications_tls(fresh) != has_applications_tls(running)) {
        log::warning("TLS is turned on or off by a restart only: the listeners stay as they are");
        return;
    }
    if (!has_applications_tls(fresh)) return;
    try {
        auto tls = load_tls(fresh);
        const auto expires_at = tls.applications->expires_at();
        data_plane_.renew_tls(std::move(tls.api), std::move(tls.applications));
        log::info("certificates reloaded: new connections get them", {{"expiresAt", expires_at}});
    } catch (const base::Error& error) {
        log::error("the certificates are not reloaded: those that were loaded before stay in force",
                   {{"reason", error.message()}});
    }
}

// A session ticket's key lasts as long as the context: whoever gets hold of one reads what was sent under its
// tickets (TLS 1.2; RFC 5077 section 5.5), so each lasts some hours. The files are read for it, and so a
// renewed certificate is in force by then even where nobody sent SIGHUP.
Task<> Server::renew_tls() {
    const auto every = core_.configuration.server.tls_renew;
    if (every.count() == 0 || !has_applications_tls(core_.configuration.server)) co_return;
    for (;;) {
        co_await core_.clock.sleep_for(every);
        try {
            reload_tls(context_.load().configuration.server);
        } catch (const base::Error& error) {
            log::warning("TLS is not renewed: the configuration has mistakes", {{"reason", error.message()}});
        }
    }
}

}  // namespace agentdb9::cli
