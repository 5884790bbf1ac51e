#include "cli/client/commands.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace agentdb9::cli::client {

void add_client_options(CLI::App& command, Context& context) {
    command.add_flag("--json", context.json, "Print the API's data as it is");
    command.add_option("--timeout", context.timeout_seconds, "How long the server may take for an answer")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    command
        .add_option("--cacert", context.ca_file,
                    "The certificates (PEM) of the authorities to trust, instead of the system's")
        ->type_name("FILE");
}

ApiOptions api_options(const Context& context) {
    return {.ca_file = context.ca_file, .limit = std::chrono::seconds(context.timeout_seconds)};
}

Api open_api(const Context& context) {
    return Api::open(api_options(context));
}

void print_json(const json::value& data) {
    std::cout << base::to_text(data) << "\n";
}

void add_client_commands(CLI::App& program, Context& context, int& code) {
    const auto before = program.get_subcommands({}).size();
    add_login(program, context);
    add_logout(program, context);
    add_whoami(program, context);
    add_workspaces(program, context, code);
    add_projects(program, context, code);
    add_quota(program, context);
    add_exec(program, context, code);
    add_shell(program, context, code);
    add_cp(program, context, code);
    add_logs(program, context, code);
    add_stats(program, context, code);
    add_token(program, context);
    add_session(program, context);
    add_admin(program, context);
    const auto all = program.get_subcommands({});
    for (auto i = before; i < all.size(); ++i)
        all[i]->group("For users of a server, wherever it is");
    add_completion(program);
    add_man(program);
    program.get_subcommand("completion")->group("This program");
    program.get_subcommand("man")->group("This program");
}

}  // namespace agentdb9::cli::client
