// The data plane as `agentdb9 serve` runs it, over one fixed workspace and without an engine or a database:
// heads, tokens (verified as the server does, then cached), ownership, header rules, relay and tunnel are the
// real ones.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "auth/access_token.hpp"
#include "auth/keys.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "http/tls.hpp"
#include "proxy/data_plane.hpp"

namespace agentdb9::bench {
namespace {

constexpr int kPort = 8080;  // by which paths name the application
constexpr std::chrono::seconds kDrain{1};

// The same in every process, so that one request is good for all of them.
const auto kOwner = *base::UserId::parse("00000000-0000-4000-8000-000000000001");
const auto kStranger = *base::UserId::parse("00000000-0000-4000-8000-000000000002");
const auto kSession = *base::SessionId::parse("00000000-0000-4000-8000-000000000003");
const auto kWorkspace = *base::WorkspaceId::parse("00000000-0000-4000-8000-000000000004");

std::string make_token(const auth::Keys& keys, const base::UserId& user) {
    const model::User claims{.id = user, .email = "someone@example.test", .username = "someone"};
    return auth::make_access_token(claims, kSession, base::SystemClock().now(), keys.access_tokens);
}

class Bench {
  public:
    Bench(const auth::Keys& keys, std::size_t workers, int upstream, http::TlsContextPtr tls)
        : keys_(keys), upstream_(upstream), plane_(options(workers, std::move(tls)), control()) {}

    void run() {
        plane_.start();
        asio::co_spawn(io_, serve(), [](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
        });
        io_.run();
        plane_.stop();
    }

  private:
    static proxy::Options options(std::size_t workers, http::TlsContextPtr tls) {
        proxy::Options options;
        options.applications_tls = std::move(tls);
        options.workers = workers;
        options.api.port = 0;
        options.applications.port = 0;
        return options;
    }

    proxy::ControlPlane control() {
        proxy::ControlPlane control;
        control.executor = io_.get_executor();
        control.authenticate = [this](auth::Credential credential) {
            return authenticate(std::move(credential));
        };
        control.api = control.operator_api = [](http::Request) -> Task<http::Response> {
            http::Response response;
            response.status = 404;
            co_return response;
        };
        control.redeem_ticket = [](std::string, base::WorkspaceId,
                                   int) -> Task<proxy::Answer<proxy::ApplicationCookie>> {
            co_return std::unexpected(http::Problem{401, "ticket_invalid", "There are no tickets here.", {}});
        };
        return control;
    }

    Task<proxy::Answer<auth::Principal>> authenticate(auth::Credential credential) {
        const auto token =
            auth::read_access_token(credential.text, keys_.access_tokens, base::SystemClock().now());
        if (credential.kind != auth::Credential::Kind::kBearer || !token)
            co_return std::unexpected(http::Problem{401, "unauthenticated", "The token is not valid.", {}});
        co_return auth::Principal{.user = token->user,
                                  .email = {},
                                  .username = {},
                                  .role = model::Role::kUser,
                                  .session = token->session,
                                  .api_token = {},
                                  .scope = {},
                                  .expires_at = token->expires_at};
    }

    void publish(model::RouteState state) {
        model::Route route{kWorkspace, kOwner,     "bench", kPort, true,
                           state,      "instance", {},      {},    std::make_shared<model::InstanceUse>()};
        if (state == model::RouteState::kReady) route.published[kPort] = {"127.0.0.1", upstream_};
        auto table = std::make_shared<model::RouteTable>();
        table->version = ++version_;
        table->routes[kWorkspace] = std::make_shared<const model::Route>(std::move(route));
        plane_.publish(std::move(table));
    }

    // SIGUSR1 stops the workspace; SIGTERM and SIGINT end the server.
    Task<> serve() {
        asio::signal_set signals(io_, SIGTERM, SIGINT, SIGUSR1);
        publish(model::RouteState::kReady);
        co_await plane_.published_everywhere();
        std::cout << plane_.applications_port() << std::endl;
        while (co_await signals.async_wait(asio::use_awaitable) == SIGUSR1)
            publish(model::RouteState::kStopped);
        co_await plane_.drain(kDrain);
        io_.stop();
    }

    const auth::Keys& keys_;
    int upstream_;
    std::uint64_t version_ = 0;
    asio::io_context io_{1};
    proxy::DataPlane plane_;
};

int usage() {
    std::cerr
        << "usage: bench_proxy_server token SECRET         prints a token of the workspace's owner\n"
           "       bench_proxy_server strangers SECRET     prints a token of another user\n"
           "       bench_proxy_server path                 prints the path of the workspace's application\n"
           "       bench_proxy_server serve SECRET WORKERS UPSTREAM_PORT [CERTIFICATE KEY]\n"
           "                                               prints the port that it listens on\n";
    return 2;
}

int run(const std::vector<std::string>& words) {
    if (words.size() == 1 && words[0] == "path") {
        std::cout << "/" << kWorkspace.view() << "/" << kPort << "/\n";
        return 0;
    }
    if (words.size() < 2) return usage();
    const auto keys = auth::Keys::from_secret(words[1]);
    if (words.size() == 2 && (words[0] == "token" || words[0] == "strangers")) {
        std::cout << make_token(keys, words[0] == "token" ? kOwner : kStranger) << "\n";
        return 0;
    }
    if ((words.size() != 4 && words.size() != 6) || words[0] != "serve") return usage();
    http::TlsContextPtr tls;
    if (words.size() == 6) {
        auto loaded = http::TlsContext::load({.certificate = words[4], .key = words[5]});
        if (!loaded) throw std::runtime_error(loaded.error());
        tls = std::move(*loaded);
    }
    log::configure(log::Level::kError, log::Format::kHuman);
    std::signal(SIGPIPE, SIG_IGN);
    Bench(keys, std::stoul(words[2]), std::stoi(words[3]), std::move(tls)).run();
    return 0;
}

}  // namespace
}  // namespace agentdb9::bench

int main(int argc, char** argv) {
    try {
        return agentdb9::bench::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}
