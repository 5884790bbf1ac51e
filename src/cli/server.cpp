#include "cli/server.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "api/problem.hpp"
#include "base/log.hpp"
#include "cli/control_plane_metrics.hpp"
#include "cli/data_plane_metrics.hpp"
#include "cli/logs.hpp"
#include "cli/process_metrics.hpp"
#include "cli/tls.hpp"
#include "cli/version.hpp"
#include "model/application_host.hpp"

namespace agentdb9::cli {
namespace {

constexpr std::chrono::minutes kHeartbeat{1};
constexpr std::chrono::hours kCleanUp{1};
constexpr std::chrono::days kKeepOperations{30};
// An import or export takes less, where several servers share the directory.
constexpr std::chrono::hours kScratchTime{24};
constexpr std::chrono::minutes kBackupRound{5};
constexpr std::chrono::seconds kFirewallRound{30};
constexpr std::chrono::seconds kFirstBackupRound{5};
// What is older is of a server that has died.
constexpr std::chrono::hours kLongestTransfer{24};
constexpr std::chrono::seconds kLeftoversLimit{2};

http::Problem ticket_problem(auth::Failure failure) {
    if (failure == auth::Failure::kUnavailable) return api::problem_of(api::error_of(failure));
    return {401,
            "ticket_invalid",
            "This link was used already, is too old or is not valid. Open the application again from its "
            "workspace.",
            {}};
}

Task<proxy::Answer<model::Awakening>> answer_of(Task<model::Awakening> question) {
    try {
        co_return co_await std::move(question);
    } catch (const base::Error& error) {
        const auto problem = api::problem_of(error);
        if (problem.status >= 500)
            log::warning("a workspace cannot be woken", {{"code", error.word()}, {"reason", error.what()}});
        co_return std::unexpected(problem);
    }
}

std::string origin_text(const config::Address& address, std::uint16_t port, bool secure) {
    const bool six = address.host.contains(':');
    return (secure ? "https://" : "http://") + (six ? "[" + address.host + "]" : address.host) + ":" +
           std::to_string(port);
}

// The usual soft limit, 1,024, is there for programs that use select(): a few hundred relayed connections
// reach it.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warning("the limit of open files cannot be raised");
}

proxy::AccessMode access_mode(config::AccessLog log) {
    switch (log) {
        case config::AccessLog::kOff:
            return proxy::AccessMode::kOff;
        case config::AccessLog::kSampled:
            return proxy::AccessMode::kSampled;
        case config::AccessLog::kAll:
            return proxy::AccessMode::kAll;
    }
    return proxy::AccessMode::kOff;
}

}  // namespace

proxy::Options data_plane_options(const config::Configuration& configuration) {
    const auto& server = configuration.server;
    proxy::Options options;
    options.workers = server.threads > 0 ? static_cast<std::size_t>(server.threads)
                                         : std::max(1U, std::thread::hardware_concurrency());
    options.api = {server.listen.host, static_cast<std::uint16_t>(server.listen.port)};
    options.applications = {server.apps_listen.host, static_cast<std::uint16_t>(server.apps_listen.port)};
    options.operator_socket = configuration.operator_socket().string();
    auto tls = load_tls(server);
    options.api_tls = std::move(tls.api);
    options.applications_tls = std::move(tls.applications);
    options.public_url = server.public_url.value_or("");
    options.apps_url = server.apps_url.value_or("");
    options.apps_domain = server.apps_domain.value_or("");
    options.trusted_proxies = server.trusted_proxies;
    options.limits.api_body_bytes = static_cast<std::size_t>(server.body_limit_bytes);
    const auto& proxy = configuration.proxy;
    options.limits.head = proxy.head;
    options.limits.stall = proxy.body_stall;
    options.limits.idle_connection = proxy.idle;
    options.limits.total = proxy.total;
    options.limits.upstream_connect = proxy.connect;
    options.limits.upstream_head = proxy.answer;
    options.limits.connections_per_user = static_cast<std::size_t>(proxy.connections_per_user);
    options.limits.connections_per_address = static_cast<std::size_t>(proxy.connections_per_address);
    options.limits.connections_per_worker = static_cast<std::size_t>(proxy.connections_per_thread);
    options.access.mode = access_mode(configuration.access_log);
    options.access.sample = static_cast<std::uint64_t>(configuration.access_sample);
    options.rewrites = configuration.rewrites;
    return options;
}

Server::Server(const Context& context, const config::Loaded& loaded)
    : context_(context),
      core_(io_.get_executor(), loaded.configuration, open_migrated_store(loaded.configuration),
            load_keys(loaded.configuration), context.seams),
      data_plane_(data_plane_options(loaded.configuration), control_plane()),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      began_(core_.clock.steady_now()),
      scope_(io_.get_executor()) {
    core_.applications_origin = [this] {
        return api::ApplicationsOrigin{has_applications_tls(core_.configuration.server),
                                       core_.configuration.server.apps_url.value_or(""),
                                       data_plane_.applications_port(),
                                       core_.configuration.server.apps_domain.value_or("")};
    };
    core_.metrics = [this] { return metrics(); };
    core_.status = [this] { return status(); };
    core_.authenticator.subscribe([this](const auth::Revocation& revocation) {
        data_plane_.revoke(revocation);
        core_.executions.revoke(revocation);
        core_.terminals.revoke(revocation);
        // What an owner shared ends when the account is no longer active.
        if (revocation.user) core_.shares.look_again();
    });
    core_.routes.set_publisher([this](std::shared_ptr<const model::RouteTable> table) -> Task<> {
        data_plane_.publish(std::move(table));
        co_await data_plane_.published_everywhere();
    });
}

proxy::ControlPlane Server::control_plane() {
    proxy::ControlPlane control;
    control.executor = io_.get_executor();
    control.streams_body = [this](std::string_view method, std::string_view path) {
        return core_.api.router().streams_body(method, path);
    };
    control.ends_with_client = [this](std::string_view method, std::string_view path) {
        return core_.api.router().is_attended(method, path);
    };
    control.api = [this](http::Request request) { return core_.api.handle(std::move(request)); };
    control.operator_api = [this](http::Request request) {
        return core_.operator_api.handle(std::move(request));
    };
    control.authenticate = [this](auth::Credential credential) -> Task<proxy::Answer<auth::Principal>> {
        auto principal = co_await core_.authenticator.authenticate(std::move(credential));
        if (!principal) co_return std::unexpected(api::problem_of(api::error_of(principal.error())));
        co_return std::move(*principal);
    };
    control.redeem_ticket = [this](std::string ticket, base::WorkspaceId workspace,
                                   int port) -> Task<proxy::Answer<proxy::ApplicationCookie>> {
        auto cookie = co_await core_.tickets.redeem(std::move(ticket), workspace, port);
        if (!cookie) co_return std::unexpected(ticket_problem(cookie.error()));
        co_return proxy::ApplicationCookie{std::move(cookie->value), cookie->expires_at};
    };
    control.wake = [this](base::UserId user, base::WorkspaceId workspace, bool insists) {
        return answer_of(core_.waking.wake(user, workspace, insists));
    };
    control.look_at_start = [this](base::UserId user, base::WorkspaceId workspace) {
        return answer_of(core_.waking.look(user, workspace));
    };
    return control;
}

int Server::run() {
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    // Not of the scope, whose end may wait for the database: a second signal is heard there, too.
    asio::co_spawn(io_, handle_signals(), [](std::exception_ptr failure) {
        if (failure) log::exception("signals are not heard any more", failure);
    });
    scope_.spawn("start", start());
    io_.run();
    return exit_code_;
}

Task<> Server::start() {
    std::optional<base::Error> failure;
    try {
        co_await remove_leftovers();
        // Whoever asks at once may be the admin.
        co_await announce_first_admin();
        data_plane_.start();
        co_await core_.project_work.start();
        co_await core_.shares.start();
        co_await core_.reconciler.start();
        core_.neighbours.start();
        core_.idle.start();
        core_.schedules.start();
        core_.cleaning.start();
    } catch (const base::Error& error) {
        failure = error;
    }
    if (failure) {
        log::error("the server cannot start", {{"reason", failure->what()}});
        std::cerr << "agentdb9: " << failure->message() << "\n";
        exit_code_ = kExitFailed;
        std::raise(SIGTERM);
        co_return;
    }
    scope_.spawn("housekeeping", housekeeping());
    scope_.spawn("measure volumes", core_.volume_measurement.run());
    scope_.spawn("look after backups", look_after_backups());
    scope_.spawn("keep the firewall", keep_firewall());
    scope_.spawn("renew TLS", renew_tls());
    announce_addresses();
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(core_.clock.steady_now() - began_);
    log::info("serving", {{"version", kVersion},
                          {"api", api_origin()},
                          {"applications", applications_origin()},
                          {"database", core_.store->describe()},
                          {"milliseconds", took.count()}});
}

std::string Server::api_origin() const {
    const auto& server = core_.configuration.server;
    return origin_text(server.listen, data_plane_.api_port(), has_api_tls(server));
}

std::string Server::applications_origin() const {
    const auto& server = core_.configuration.server;
    return origin_text(server.apps_listen, data_plane_.applications_port(), has_applications_tls(server));
}

void Server::announce_addresses() const {
    const auto& server = core_.configuration.server;
    auto applications = server.apps_url.value_or(applications_origin());
    if (server.apps_domain) {
        const auto scheme = applications.substr(0, applications.find("//") + 2);
        applications = scheme + "{port}--{workspaceId}." + *server.apps_domain +
                       std::string(model::port_suffix_of(applications));
    }
    std::cout
        << "AgentDB9 Workspaces " << kVersion << " serves on " << server.public_url.value_or(api_origin())
        << "/ (applications on " << applications << "/)\n"
        << "Sign in there. A password that was lost is replaced by: agentdb9 user reset-password EMAIL\n"
        << std::flush;
}

json::object Server::status() const {
    const auto& server = core_.configuration.server;
    return {{"version", kVersion},
            {"process", ::getpid()},
            {"listen", json::object{{"host", server.listen.host}, {"port", data_plane_.api_port()}}},
            {"api", api_origin()},
            {"applications", applications_origin()},
            {"runtimeConnected", core_.reconciler.connected()}};
}

Task<> Server::announce_first_admin() {
    const auto made = co_await core_.users.ensure_first_admin(
        {core_.configuration.auth.admin_email, core_.configuration.auth.admin_password});
    if (!made) co_return;
    log::info("made the first admin", {{"email", made->user.email}});
    // Only here and only once: the log does not keep it.
    if (made->one_time_password) {
        std::cout << "\nThe first admin of this installation:\n  email     " << made->user.email
                  << "\n  password  " << *made->one_time_password
                  << "\nIt is shown only now. Change it after the first login.\n\n"
                  << std::flush;
    }
}

Task<> Server::handle_signals() {
    bool ending = false;
    for (;;) {
        const auto [ec, signal] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec) co_return;
        if (signal == SIGHUP) {
            reload();
        } else if (!ending) {
            ending = true;
            log::info("shutting down", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
            asio::co_spawn(io_, shut_down(), [](std::exception_ptr) {});
        } else {
            log::warning("ending at once, without draining");
            std::_Exit(kExitFailed);
        }
    }
}

// Registration, limits, the log's level and certificates follow the file at once; whatever else has changed
// needs a restart.
void Server::reload() {
    try {
        const auto loaded = context_.load();
        const auto& fresh = loaded.configuration;
        core_.accounts.set_options({fresh.auth.registration_open, fresh.auth.rate_limit});
        configure_logs(fresh);
        log::info(
            "configuration reloaded: registration, limits and log level are in force; other changes "
            "need a restart");
        reload_tls(fresh.server);
    } catch (const base::Error& error) {
        log::error("the configuration is not reloaded: it has mistakes", {{"reason", error.message()}});
    }
}

Task<> Server::housekeeping() {
    auto cleaned_at = core_.clock.steady_now() - kCleanUp;
    for (;;) {
        try {
            co_await core_.volumes.heartbeat();
            co_await core_.authenticator.write_uses();
            if (core_.clock.steady_now() - cleaned_at >= kCleanUp) {
                cleaned_at = core_.clock.steady_now();
                co_await core_.accounts.prune();
                co_await core_.store->write([now = core_.clock.now(), history = core_.configuration.history,
                                             audit = core_.configuration.audit](store::Transaction& tx) {
                    tx.operations().prune(now - kKeepOperations);
                    tx.project_operations().prune(now - kKeepOperations);
                    tx.life_events().prune(now - history.keep, history.most);
                    tx.audits().prune(now - audit);
                });
            }
        } catch (const base::Error& error) {
            log::warning("housekeeping goes on later", {{"reason", error.what()}});
        }
        co_await core_.clock.sleep_for(kHeartbeat);
    }
}

// Helpers of an earlier server keep volumes from being removed, and its scratch files take room. Before the
// first request all there are, are.
Task<> Server::remove_leftovers() {
    if (core_.store->server_name()) co_return;
    co_await core_.backup_files.clear_scratch(std::chrono::seconds(0));
    try {
        co_await base::with_timeout(core_.clock, kLeftoversLimit,
                                    core_.volume_files.remove_leftovers(std::chrono::seconds(0)));
    } catch (const base::Error& error) {
        log::debug("the engine does not say what was left behind", {{"reason", error.what()}});
    }
}

// Where other servers work, too, only a helper that is older than any transfer takes is nobody's.
std::chrono::seconds Server::age_of_leftovers() const {
    return core_.store->server_name() ? kLongestTransfer : std::chrono::hours(0);
}

// Who reloads the host's own rules may flush ours with them.
Task<> Server::keep_firewall() {
    for (;;) {
        try {
            co_await core_.docker.keep_firewall();
        } catch (const base::Error& error) {
            log::debug("the firewall is looked at later", {{"reason", error.what()}});
        }
        co_await core_.clock.sleep_for(kFirewallRound);
    }
}

Task<> Server::look_after_backups() {
    bool first = true;
    for (;;) {
        try {
            co_await core_.backups.sweep();
            co_await core_.backup_files.clear_scratch(kScratchTime);
            co_await core_.volume_files.remove_leftovers(age_of_leftovers());
            co_await core_.backup_schedule.run();
        } catch (const base::Error& error) {
            log::warning("backups are looked after later", {{"reason", error.what()}});
        }
        // What a server asked for just before it died has come to its end by the second round.
        co_await core_.clock.sleep_for(std::exchange(first, false) ? kFirstBackupRound : kBackupRound);
    }
}

Task<> Server::write_last_uses() {
    try {
        co_await base::with_timeout(core_.clock, kLeftoversLimit, core_.authenticator.write_uses());
    } catch (const base::Error& error) {
        log::debug("when API tokens were last used is not written", {{"reason", error.what()}});
    }
}

// 1. Commands and terminals in workspaces are told to end. No new connection; what runs may end. 2. Work on
// projects is given up, the reconciler stops between two actions. 3. The workers' threads have ended, and all
// else is cancelled. The store closes last, with the core.
Task<> Server::shut_down() {
    core_.executions.finish();
    core_.terminals.finish();
    co_await data_plane_.drain(core_.configuration.server.drain);
    co_await core_.executions.stop();
    co_await core_.terminals.stop();
    co_await core_.monitoring.stop();
    co_await core_.idle.stop();
    co_await core_.schedules.stop();
    co_await core_.cleaning.stop();
    co_await core_.events.stop();
    co_await core_.neighbours.stop();
    co_await core_.shares.stop();
    co_await core_.project_files.close();
    co_await core_.project_work.stop();
    co_await core_.reconciler.stop();
    co_await core_.availability.close();
    co_await scope_.close();
    co_await write_last_uses();
    log::info("ended");
    io_.stop();
}

std::vector<api::Metric> Server::metrics() const {
    MetricList list;
    add_data_plane_metrics(list, data_plane_.metrics());
    add_control_plane_metrics(list, core_);
    add_process_metrics(list);
    return list.take();
}

}  // namespace agentdb9::cli
