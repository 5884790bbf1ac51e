#include <CLI/CLI.hpp>
#include <iostream>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/version.hpp"

namespace agentdb9::cli {

void add_version(CLI::App& program, Context& context, int& code) {
    auto* command = program.add_subcommand("version", "Print the version");
    command->footer("Of this program; 'agentdb9 doctor' tells which version runs.");
    command->add_flag("--json", context.json, "Print JSON");
    command->callback([&context, &code] {
        if (context.json) {
            std::cout << base::to_text(json::object{{"version", kVersion}, {"compiler", __VERSION__}})
                      << "\n";
        } else {
            std::cout << "agentdb9 " << kVersion << "\n";
        }
        code = kExitOk;
    });
}

}  // namespace agentdb9::cli
