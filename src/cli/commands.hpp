// One function a command, each in a file of its own: adds it, its options and its help to the program. What
// it runs stores its exit code in `code` and may throw base::Error.
#pragma once

#include "cli/context.hpp"
#include "cli/operator_client.hpp"

namespace CLI {
class App;
}

namespace agentdb9::cli {

void add_serve(CLI::App& program, Context& context, int& code);
void add_migrate(CLI::App& program, Context& context, int& code);
void add_user(CLI::App& program, Context& context, int& code);
void add_volumes(CLI::App& program, Context& context, int& code);
void add_backups(CLI::App& program, Context& context, int& code);
void add_cleanup(CLI::App& program, Context& context, int& code);
void add_audit(CLI::App& program, Context& context, int& code);
void add_doctor(CLI::App& program, Context& context, int& code);
void add_adopt(CLI::App& program, Context& context, int& code);
void add_firewall(CLI::App& program, Context& context, int& code);
void add_config(CLI::App& program, Context& context, int& code);
void add_version(CLI::App& program, Context& context, int& code);

// Adds --config and --data-dir, which every command that reads the configuration has.
void add_configuration_options(CLI::App& command, Context& context);
// The same, --json and --timeout: for commands that ask the running server, by open_operator().
void add_operator_options(CLI::App& command, Context& context);
OperatorClient open_operator(const Context& context);
// A flag whose value goes over the configuration key `key`.
void add_setting(CLI::App& command, Context& context, const char* flag, const char* key, const char* help);

}  // namespace agentdb9::cli
