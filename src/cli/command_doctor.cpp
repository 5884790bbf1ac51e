#include <CLI/CLI.hpp>
#include <iostream>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/doctor.hpp"
#include "cli/doctor_mending.hpp"

namespace agentdb9::cli {
namespace {

void print_json(const Findings& findings) {
    json::array checks;
    for (const auto& each : findings.all()) {
        checks.push_back({{"check", each.check},
                          {"state", to_text(each.state)},
                          {"what", each.what},
                          {"advice", each.advice.empty() ? json::value(nullptr) : json::value(each.advice)}});
    }
    std::cout << base::to_text(
                     json::object{{"healthy", !findings.has_problem()}, {"checks", std::move(checks)}})
              << "\n";
}

// Not a table: sentences are long.
void print(const Findings& findings) {
    constexpr std::size_t kState = 9;
    constexpr std::size_t kCheck = 16;
    std::size_t problems = 0;
    std::size_t warnings = 0;
    for (const auto& each : findings.all()) {
        std::string line(to_text(each.state));
        line.resize(kState, ' ');
        line += each.check;
        line.resize(kState + kCheck, ' ');
        std::cout << line << each.what << "\n";
        if (!each.advice.empty())
            std::cout << std::string(kState + kCheck, ' ') << "→ " << each.advice << "\n";
        problems += each.state == Finding::State::kProblem ? 1U : 0U;
        warnings += each.state == Finding::State::kWarning ? 1U : 0U;
    }
    std::cout << "\n"
              << problems << (problems == 1 ? " problem, " : " problems, ") << warnings
              << (warnings == 1 ? " warning\n" : " warnings\n");
}

}  // namespace

void add_doctor(CLI::App& program, Context& context, int& code) {
    auto* command =
        program.add_subcommand("doctor", "Look at all that the server depends on, and say what to do");
    command->footer(
        "Looks at the configuration, the data directory and its secrets, the database, the server or its "
        "ports, "
        "the disk, the engine, its network and images, and at what the engine and the database do not agree "
        "on. "
        "Changes nothing, and works while the server runs or does not.\n"
        "Exit code 0 when there is no problem (warnings are none), 1 otherwise.\n\n"
        "--repair tells what differs between the database and the engine, or within the database, and with "
        "--yes puts right what puts nobody's files at stake; volumes are never removed. --rebuild is for a "
        "lost database: it makes the rows of an empty one again from the labels on the engine, while no "
        "server runs. Names and passwords are lost: users whom the database does not have become disabled "
        "accounts with one-time passwords, or what they had goes to --owner.\n\nExamples:\n"
        "  agentdb9 doctor\n"
        "  agentdb9 doctor --repair          # what would be done; with --yes it is\n"
        "  agentdb9 doctor --rebuild --owner ada@example.org\n"
        "  agentdb9 doctor --json | jq '.checks[] | select(.state != \"ok\")'");
    add_operator_options(*command, context);
    struct Options {
        bool repair = false;
        bool rebuild = false;
        RebuildOptions how;
    };
    auto options = std::make_shared<Options>();
    auto* repairs = command->add_flag("--repair", options->repair,
                                      "What differs between database and engine, and what would be done");
    auto* rebuilds = command->add_flag("--rebuild", options->rebuild,
                                       "Make an empty database's rows again from the engine");
    rebuilds->excludes(repairs);
    command->add_option("--owner", options->how.owner, "Who gets what unknown users had")
        ->type_name("EMAIL")
        ->needs(rebuilds);
    command
        ->add_option("--installation", options->how.installation,
                     "Whose objects to take; needed where the engine has several installations'")
        ->type_name("ID")
        ->needs(rebuilds);
    command->add_flag("--yes", options->how.confirmed, "With --repair or --rebuild: do it");
    command->callback([&context, &code, options] {
        if (options->repair) {
            code = repair(context, options->how.confirmed);
            return;
        }
        if (options->rebuild) {
            code = rebuild(context, options->how);
            return;
        }
        if (options->how.confirmed)
            throw base::Error(base::ErrorCode::kInvalid, "invalid_field",
                              "--yes needs --repair or --rebuild.");
        const auto findings = examine(context);
        if (context.json) {
            print_json(findings);
        } else {
            print(findings);
        }
        code = findings.has_problem() ? kExitFailed : kExitOk;
    });
}

}  // namespace agentdb9::cli
