#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <iostream>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/core.hpp"
#include "cli/logs.hpp"
#include "runtime/docker/docker_runtime.hpp"

namespace agentdb9::cli {
namespace {

constexpr std::chrono::seconds kEnginePatience{10};

Task<> ask(runtime::docker::DockerRuntime& runtime, base::Clock& clock, std::string& rules) {
    auto made = co_await base::with_timeout(clock, kEnginePatience, runtime.firewall_rules());
    if (!made) {
        throw base::Error(base::ErrorCode::kTimeout, "runtime_unavailable",
                          "The container engine at " + runtime.address() + " does not answer; try again.");
    }
    rules = std::move(*made);
}

std::string rules(const config::Configuration& configuration) {
    asio::io_context io{1};
    base::SystemClock clock;
    // The network is the engine's, whoever made it.
    runtime::docker::DockerRuntime runtime(io.get_executor(), clock, base::InstallationId::generate(),
                                           docker_options(configuration.docker));
    std::string rules;
    asio::co_spawn(io, ask(runtime, clock, rules), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    io.run();
    return rules;
}

}  // namespace

void add_firewall(CLI::App& program, Context& context, int& code) {
    auto* command =
        program.add_subcommand("firewall", "Print the rules that keep workspaces from this host's services");
    command->footer(
        "A server that may (root, or CAP_NET_ADMIN) puts them in force by itself; this is for one that may "
        "not. They are gone with the host's next start.\n\nExamples:\n"
        "  agentdb9 firewall                  # look at them\n"
        "  agentdb9 firewall | sudo nft -f -  # put them in force");
    add_configuration_options(*command, context);
    command->callback([&context, &code] {
        const auto loaded = context.load();
        configure_command_logs(loaded.configuration);
        std::cout << rules(loaded.configuration);
        code = kExitOk;
    });
}

}  // namespace agentdb9::cli
