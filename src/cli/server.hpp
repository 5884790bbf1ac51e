// `agentdb9 serve`, running: the core, the reconciler at work and the data plane, from the first listener to
// the last drained connection.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>

#include "cli/context.hpp"
#include "cli/core.hpp"
#include "proxy/data_plane.hpp"

namespace agentdb9::cli {

class Server {
  public:
    // Binds the listeners. Throws base::Error for whatever keeps it from serving.
    Server(const Context& context, const config::Loaded& loaded);

    // Serves until SIGTERM or SIGINT, on the calling thread. Returns the exit code.
    int run();

  private:
    Task<> start();
    Task<> announce_first_admin();
    void announce_addresses() const;
    Task<> handle_signals();
    Task<> housekeeping();
    Task<> look_after_backups();
    Task<> keep_firewall();
    Task<> write_last_uses();
    Task<> remove_leftovers();
    std::chrono::seconds age_of_leftovers() const;
    Task<> shut_down();
    void reload();
    void reload_tls(const config::ServerSettings& fresh);
    Task<> renew_tls();
    // As they are listened on: "https://127.0.0.1:8000".
    std::string api_origin() const;
    std::string applications_origin() const;
    proxy::ControlPlane control_plane();
    std::vector<api::Metric> metrics() const;
    json::object status() const;

    const Context& context_;
    asio::io_context io_{1};
    Core core_;
    proxy::DataPlane data_plane_;
    asio::signal_set signals_;
    base::SteadyTime began_;
    int exit_code_ = 0;
    base::Scope scope_;
};

// The options of the data plane that the configuration asks for.
proxy::Options data_plane_options(const config::Configuration& configuration);

}  // namespace agentdb9::cli
