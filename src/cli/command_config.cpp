#include <CLI/CLI.hpp>
#include <iostream>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "config/reference.hpp"

namespace agentdb9::cli {

void add_config(CLI::App& program, Context& context, int& code) {
    auto* command =
        program.add_subcommand("config", "Show the configuration in force, and where each value comes from");
    command->footer(
        "Order: flags, environment AGENTDB9_*, the TOML file, defaults. Secrets are not shown. A mistake in "
        "the "
        "file is told with its line, and the exit code is 2.\n\nExamples:\n"
        "  agentdb9 config\n"
        "  agentdb9 config --config new.toml          # check a file before it is used\n"
        "  agentdb9 config --default-file > /etc/agentdb9/agentdb9.toml");
    add_configuration_options(*command, context);
    auto default_file = std::make_shared<bool>(false);
    command->add_flag("--default-file", *default_file,
                      "Print a configuration file with every setting, its default and what it is for");
    command->add_flag("--json", context.json, "Print JSON");
    command->callback([&context, &code, default_file] {
        if (*default_file) {
            std::cout << config::default_file();
            return;
        }
        const auto loaded = context.load();
        for (const auto& warning : loaded.warnings)
            std::cerr << "warning: " << warning << "\n";
        if (context.json) {
            json::array rows;
            for (const auto& each : loaded.shown) {
                rows.push_back({{"key", each.key}, {"value", each.value}, {"source", each.source}});
            }
            std::cout << base::to_text(rows) << "\n";
        } else {
            Table table({"KEY", "VALUE", "SOURCE"});
            for (const auto& each : loaded.shown)
                table.add({each.key, each.value, each.source});
            std::cout << table.text();
        }
        code = kExitOk;
    });
}

}  // namespace agentdb9::cli
