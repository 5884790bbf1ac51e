#include <CLI/CLI.hpp>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/logs.hpp"
#include "cli/server.hpp"

namespace agentdb9::cli {

void add_serve(CLI::App& program, Context& context, int& code) {
    auto* command = program.add_subcommand("serve", "Run the server");
    command->footer(
        "Ends with SIGTERM or SIGINT, after requests under way (10 s at most). SIGHUP reads the "
        "configuration and the certificates again: these, registration, limits and the log's level are in "
        "force at once, and whatever else has changed needs a restart.\nWorkspaces keep running while the "
        "server is down. One server runs on "
        "a data "
        "directory; a second one is refused.\n\nExamples:\n"
        "  agentdb9 serve\n"
        "  agentdb9 serve --data-dir /var/lib/agentdb9 --listen 0.0.0.0:8000 --apps-listen 0.0.0.0:8001\n"
        "  AGENTDB9_ADMIN_EMAIL=me@example.org AGENTDB9_ADMIN_PASSWORD=… agentdb9 serve   # the first start");
    add_configuration_options(*command, context);
    add_setting(*command, context, "--listen", "server.listen",
                "Address of the API and the page, e.g. 127.0.0.1:8000");
    add_setting(*command, context, "--apps-listen", "server.appsListen",
                "Address of the applications' own origin, e.g. 127.0.0.1:8001");
    add_setting(*command, context, "--apps-domain", "server.appsDomain",
                "Gives each application a host name below it, e.g. apps.example.org");
    add_setting(*command, context, "--tls-certificate", "server.tlsCertificate",
                "TLS on both listeners: a PEM file, the server's own certificate first");
    add_setting(*command, context, "--tls-key", "server.tlsKey", "Its key, a PEM file without a passphrase");
    add_setting(*command, context, "--apps-tls-certificate", "server.appsTlsCertificate",
                "Another certificate for the applications' listener");
    add_setting(*command, context, "--apps-tls-key", "server.appsTlsKey", "Its key");
    command->callback([&context, &code] {
        const auto loaded = context.load();
        configure_logs(loaded.configuration);
        for (const auto& warning : loaded.warnings)
            log::warning("configuration", {{"problem", warning}});
        prepare_data_directory(loaded.configuration.data_dir);
        code = Server(context, loaded).run();
    });
}

}  // namespace agentdb9::cli
