#include <boost/asio/io_context.hpp>

#include "base/json.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/exchange.hpp"
#include "cli/version.hpp"
#include "http/listener.hpp"
#include "http/tls.hpp"

namespace agentdb9::cli {
namespace {

constexpr std::chrono::seconds kPatience{5};

std::string text_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void check_port(const std::string& what, const std::string& key, const config::Address& address,
                Findings& findings) {
    asio::io_context io{1};
    const auto name = address.host + ":" + std::to_string(address.port);
    if (address.port == 0) return findings.ok("ports", what + " may take any free port.");
    const auto listener =
        http::Listener::tcp(io, address.host, static_cast<std::uint16_t>(address.port), true);
    if (listener) {
        findings.ok("ports", name + " is free for " + what + ".");
    } else {
        findings.problem("ports", name + " cannot be taken for " + what + ": " + listener.error() + ".",
                         "End what has it ('ss -ltnp' shows that), or set " + key + ".");
    }
}

// What it says of itself by the socket, and whether its own port answers.
void check_running(const json::object& status, Findings& findings) {
    const auto* listen = status.if_contains("listen");
    config::Address address;
    if (listen != nullptr && listen->is_object()) {
        const auto& object = listen->get_object();
        address.host = text_in(object, "host");
        if (const auto* port = object.if_contains("port"); port != nullptr && port->is_int64())
            address.port = static_cast<int>(port->get_int64());
    }
    const auto version = text_in(status, "version");
    const auto api = text_in(status, "api");
    const auto health = exchange(address, "GET", "/healthz", "", kPatience);
    // Where it speaks TLS, a plain question is answered with 400: it is this server that answers.
    const int well = api.starts_with("https://") ? 400 : 200;
    if (!health || health->status != well) {
        findings.problem("server",
                         "The server answers by its socket, but not at " + api + " (" +
                             (health ? "status " + std::to_string(health->status) : health.error().reason) +
                             ").",
                         "Look at its log, and start it again.");
    } else if (version != kVersion) {
        findings.warning(
            "server",
            "Version " + version + " runs at " + api + ", and this program is " + std::string(kVersion) + ".",
            "Start the server again to finish the upgrade.");
    } else {
        findings.ok("server", "Version " + version + " answers at " + api + ".");
    }
}

// The files that a start, or a renewal, would read.
void check_tls(const config::ServerSettings& server, Findings& findings) {
    const auto check = [&](const std::optional<std::string>& certificate,
                           const std::optional<std::string>& key) {
        if (!certificate || !key) return;
        const auto loaded = http::TlsContext::load({*certificate, *key});
        if (!loaded)
            return findings.problem("certificate", loaded.error(),
                                    "Put the file right, then start the server, or send it SIGHUP.");
        for (const auto& warning : (*loaded)->warnings())
            findings.warning("certificate", warning, "Put the file right, then send SIGHUP to the server.");
        if ((*loaded)->warnings().empty())
            findings.ok("certificate", "The certificate " + *certificate + " is good until " +
                                           (*loaded)->expires_at() + ".");
    };
    check(server.tls_certificate, server.tls_key);
    check(server.apps_tls_certificate, server.apps_tls_key);
}

}  // namespace

void check_server(const config::Configuration& configuration, Findings& findings) {
    check_tls(configuration.server, findings);
    const auto socket = configuration.operator_socket();
    const auto answer = exchange(socket, "GET", "/operator/status", "", kPatience);
    if (answer) {
        const auto body = base::parse_json_or(answer->body, nullptr);
        const auto* data = body.is_object() ? body.get_object().if_contains("data") : nullptr;
        if (answer->status == 200 && data != nullptr && data->is_object())
            return check_running(data->get_object(), findings);
        return findings.problem("server",
                                "What listens at " + socket.string() + " is no server of this version.",
                                "End it, and start the server again.");
    }
    const auto& failure = answer.error();
    const auto process = failure.process ? " (process " + std::to_string(*failure.process) + ")" : "";
    switch (failure.kind) {
        case ExchangeFailure::Kind::kForbidden:
            return findings.warning("server", "The server's socket may not be used by this user.",
                                    "Run this as the user who runs the server.");
        case ExchangeFailure::Kind::kSilent:
        case ExchangeFailure::Kind::kBroken:
            return findings.problem("server",
                                    "The server" + process + " runs, but does not answer at " +
                                        socket.string() + ": " + failure.reason + ".",
                                    "Look at its log; end it if it hangs, and start it again.");
        case ExchangeFailure::Kind::kNobodyListens:
            break;
    }
    findings.ok("server", "No server runs on this data directory.");
    check_port("the API", "server.listen", configuration.server.listen, findings);
    check_port("the applications", "server.appsListen", configuration.server.apps_listen, findings);
}

}  // namespace agentdb9::cli
