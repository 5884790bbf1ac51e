// One function for each command of a client, in a file of its own, as in cli/commands.hpp.
#pragma once

#include "cli/client/api.hpp"
#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace agentdb9::cli::client {

// All of them, in the order of the help.
void add_client_commands(CLI::App& program, Context& context, int& code);

void add_login(CLI::App& program, Context& context);
void add_logout(CLI::App& program, Context& context);
void add_whoami(CLI::App& program, Context& context);
void add_projects(CLI::App& program, Context& context, int& code);
void add_workspaces(CLI::App& program, Context& context, int& code);
void add_quota(CLI::App& program, Context& context);
void add_cp(CLI::App& program, Context& context, int& code);
void add_exec(CLI::App& program, Context& context, int& code);
void add_logs(CLI::App& program, Context& context, int& code);
void add_shell(CLI::App& program, Context& context, int& code);
void add_stats(CLI::App& program, Context& context, int& code);
void add_session(CLI::App& program, Context& context);
void add_token(CLI::App& program, Context& context);
void add_admin(CLI::App& program, Context& context);
void add_completion(CLI::App& program);
void add_man(CLI::App& program);

// Adds --json, --timeout and --cacert, which every command that asks a server has.
void add_client_options(CLI::App& command, Context& context);
ApiOptions api_options(const Context& context);
Api open_api(const Context& context);
// What the API answered, for --json.
void print_json(const json::value& data);

}  // namespace agentdb9::cli::client
