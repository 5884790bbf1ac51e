#include "cli/doctor.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "base/error.hpp"
#include "cli/core.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/logs.hpp"

namespace agentdb9::cli {
namespace {

Task<> examine_engine(const config::Configuration& configuration, store::Store* store,
                      runtime::docker::DockerRuntime& runtime, base::Clock& clock, Findings& findings) {
    const bool answers = co_await check_engine(configuration, runtime, clock, findings);
    if (answers) co_await check_images(configuration, runtime, clock, findings);
    if (store == nullptr) co_return;
    co_await check_purging(*store, runtime, clock, findings);
    if (!answers) co_return;
    co_await check_states(*store, runtime, clock, findings);
    co_await check_leftovers(*store, runtime, findings);
}

}  // namespace

std::string_view to_text(Finding::State state) {
    switch (state) {
        case Finding::State::kOk:
            return "ok";
        case Finding::State::kWarning:
            return "warning";
        case Finding::State::kProblem:
            return "problem";
    }
    return "";
}

bool Findings::has_problem() const {
    return std::ranges::any_of(all_,
                               [](const Finding& each) { return each.state == Finding::State::kProblem; });
}

Findings examine(const Context& context) {
    Findings findings;
    std::optional<config::Loaded> loaded;
    try {
        loaded = context.load();
    } catch (const base::Error& error) {
        findings.problem("configuration", error.message(), "Mend it; 'agentdb9 config' checks it again.");
        return findings;
    }
    const auto& configuration = loaded->configuration;
    configure_command_logs(configuration);
    for (const auto& warning : loaded->warnings)
        findings.warning("configuration", "In the environment, " + warning + ".",
                         "Unset it, or mend its name.");
    findings.ok("configuration", loaded->file ? "Read from " + loaded->file->string() + "."
                                              : "No file; flags, environment and defaults are in force.");
    check_data_directory(configuration, findings);
    check_secrets(*loaded, findings);
    const auto store = check_database(configuration, findings);
    check_server(configuration, findings);
    check_disk("The data directory", configuration.data_dir, findings);
    check_memory(configuration, findings);

    asio::io_context io{1};
    base::SystemClock clock;
    try {
        // Without a database nothing on the engine can be this installation's.
        const auto installation = store ? find_installation_id(*store) : std::nullopt;
        runtime::docker::DockerRuntime runtime(io.get_executor(), clock,
                                               installation.value_or(base::InstallationId::generate()),
                                               docker_options(configuration.docker));
        asio::co_spawn(io, examine_engine(configuration, store.get(), runtime, clock, findings),
                       [](std::exception_ptr failure) {
                           if (failure) std::rethrow_exception(failure);
                       });
        io.run();
    } catch (const base::Error& error) {
        findings.problem("doctor", "The examination broke off: " + error.message(),
                         "Run it again; with logs.level = \"debug\" it tells more.");
    }
    return findings;
}

}  // namespace agentdb9::cli
