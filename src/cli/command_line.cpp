#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/client/commands.hpp"
#include "cli/client/text.hpp"
#include "cli/commands.hpp"
#include "cli/logs.hpp"
#include "cli/version.hpp"
#include "config/did_you_mean.hpp"

namespace agentdb9::cli {
namespace {

int exit_code_of(const base::Error& error) {
    using base::ErrorCode;
    switch (error.code()) {
        case ErrorCode::kInvalid:
            return kExitUsage;
        case ErrorCode::kNotFound:
            return kExitNotFound;
        case ErrorCode::kUnavailable:
        case ErrorCode::kTimeout:
            return kExitUnavailable;
        default:
            return kExitFailed;
    }
}

// The first word that names no command where one is expected.
std::optional<std::string> unknown_command(const CLI::App& program, int argc, char** argv) {
    const auto* at = &program;
    std::string path = "agentdb9";
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word.starts_with('-')) return std::nullopt;
        const auto all = at->get_subcommands([](const CLI::App*) { return true; });
        if (all.empty()) return std::nullopt;
        std::vector<std::string> known;
        const CLI::App* next = nullptr;
        for (const auto* each : all) {
            if (each->check_name(word)) next = each;
            known.push_back(each->get_name());
            std::ranges::copy(each->get_aliases(), std::back_inserter(known));
        }
        if (next != nullptr) {
            at = next;
            path += " " + word;
            continue;
        }
        const auto near = config::did_you_mean(word, known);
        return "There is no command '" + client::printable(word) + "'" +
               (near ? ". Did you mean '" + path + " " + *near + "'?"
                     : ": '" + path + " --help' lists them.");
    }
    return std::nullopt;
}

}  // namespace

void add_configuration_options(CLI::App& command, Context& context) {
    command
        .add_option("--config", context.config_file,
                    "Configuration file (TOML). Default: agentdb9.toml in the data directory, else "
                    "/etc/agentdb9/agentdb9.toml")
        ->type_name("FILE");
    add_setting(command, context, "--data-dir", "dataDir",
                "Where the database, the secrets and the operator's socket lie");
}

void add_operator_options(CLI::App& command, Context& context) {
    add_configuration_options(command, context);
    command.add_option("--timeout", context.timeout_seconds, "How long a running server may take to answer")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    command.add_flag("--json", context.json, "Print JSON");
}

OperatorClient open_operator(const Context& context) {
    auto loaded = context.load();
    configure_command_logs(loaded.configuration);
    for (const auto& warning : loaded.warnings)
        std::cerr << "warning: " << warning << "\n";
    return OperatorClient(std::move(loaded.configuration), std::chrono::seconds(context.timeout_seconds));
}

void add_setting(CLI::App& command, Context& context, const char* flag, const char* key, const char* help) {
    command
        .add_option_function<std::string>(
            flag, [&context, flag, key](const std::string& value) { context.flags[key] = {flag, value}; },
            help)
        ->type_name("VALUE");
}

int run(int argc, char** argv, Seams seams) {
    CLI::App program{
        "AgentDB9 Workspaces: VS Code, spreadsheets and notebooks for people and agents, each in a "
        "container of its own.\nStart with: agentdb9 serve"};
    program.name("agentdb9");
    program.set_version_flag("--version", "agentdb9 " + std::string(kVersion));
    program.require_subcommand(1);
    program.footer(
        "Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 3 not found, 4 the "
        "database, the engine or the server does not answer, 130 interrupted.\n"
        "Each command tells more with --help.\n\nExamples:\n"
        "  agentdb9 serve                             # the server, on http://127.0.0.1:8000\n"
        "  agentdb9 login https://work.example.org    # as a user of a server\n"
        "  agentdb9 workspaces start editor\n"
        "  agentdb9 doctor                            # what is wrong, and what to do\n"
        "  agentdb9 user add ada@example.org          # an account\n"
        "  agentdb9 volumes list                      # what lies in the trash\n"
        "  agentdb9 config                            # what is in force, and from where");
    Context context;
    context.seams = std::move(seams);
    int code = kExitOk;
    add_serve(program, context, code);
    add_user(program, context, code);
    add_volumes(program, context, code);
    add_backups(program, context, code);
    add_cleanup(program, context, code);
    add_adopt(program, context, code);
    add_audit(program, context, code);
    add_doctor(program, context, code);
    add_firewall(program, context, code);
    add_config(program, context, code);
    add_migrate(program, context, code);
    add_version(program, context, code);
    // The help tells apart what is for the server's own machine, and what is for one anywhere.
    for (auto* each : program.get_subcommands({}))
        each->group("The server, and its operator's commands on its machine");
    client::add_client_commands(program, context, code);
    if (const auto problem = unknown_command(program, argc, argv)) {
        std::cerr << "agentdb9: " << *problem << "\n";
        return kExitUsage;
    }
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 prints the help or what is wrong; its own codes are its own.
        return program.exit(error) == 0 ? kExitOk : kExitUsage;
    } catch (const base::Error& error) {
        std::cerr << "agentdb9: " << error.message() << "\n";
        if (!error.internal().empty()) log::debug("the command failed", {{"reason", error.what()}});
        return exit_code_of(error);
    } catch (const std::exception& error) {
        std::cerr << "agentdb9: " << error.what() << "\n";
        return kExitFailed;
    }
    // A full disk, say: what the command was asked for did not arrive.
    if (!std::cout.flush()) {
        std::cerr
            << "agentdb9: standard output could not be written; nothing or not all of it has arrived.\n";
        return code == kExitOk ? kExitFailed : code;
    }
    return code;
}

}  // namespace agentdb9::cli
