#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli {
namespace {

using runtime::docker::percent_encode;

struct AuditWords {
    std::string who;
    std::string target;
    std::string since;
    std::string until;
    bool failed = false;
    int limit = 100;
};

std::string query_of(const AuditWords& words) {
    std::string query = "?limit=" + std::to_string(words.limit);
    for (const auto& [name, value] : {std::pair("who", words.who), std::pair("target", words.target),
                                      std::pair("since", words.since), std::pair("until", words.until)}) {
        if (!value.empty()) query += "&" + std::string(name) + "=" + percent_encode(value);
    }
    return query + (words.failed ? "&failed=true" : "");
}

void print(const json::value& data, bool as_json) {
    if (as_json) {
        std::cout << base::to_text(data) << "\n";
        return;
    }
    Table table({"TIME (UTC)", "WHO", "FROM", "WHAT", "OUTCOME"});
    for (const auto& each : data.as_array()) {
        const auto& row = each.as_object();
        const std::string action(row.at("action").as_string());
        auto outcome = std::to_string(row.at("status").to_number<int>());
        if (row.at("code").is_string()) outcome += " " + or_dash(row.at("code"));
        table.add({short_time(row.at("at")), or_dash(row.at("who")), or_dash(row.at("address")),
                   action.substr(0, action.find(' ') + 1) + or_dash(row.at("target")), outcome});
    }
    std::cout << (table.empty() ? "There is nothing of that kind.\n" : table.text());
}

}  // namespace

void add_audit(CLI::App& program, Context& context, int& code) {
    auto* command = program.add_subcommand("audit", "Who did what, from where, and what came of it");
    command->footer(
        "The newest first. Looking is not recorded, only what changes something, or tries to.\n\nExamples:\n"
        "  agentdb9 audit --who ada@example.org --since 2026-01-31T00:00:00Z\n"
        "  agentdb9 audit --target 0c5f6f0e-3f0b-4d57-9d5f-6a1d0b7c2a11   # of one workspace or project\n"
        "  agentdb9 audit --failed --json");
    add_operator_options(*command, context);
    auto words = std::make_shared<AuditWords>();
    command->add_option("--who", words->who, "An account's address, or its id")->type_name("WHO");
    command->add_option("--target", words->target, "What is in the path: an id, say")->type_name("TEXT");
    command->add_option("--since", words->since, "From this moment on")->type_name("TIME");
    command->add_option("--until", words->until, "Before this moment")->type_name("TIME");
    command->add_flag("--failed", words->failed, "Only what was refused or failed");
    command->add_option("--limit", words->limit, "How many at most")->check(CLI::Range(1, 1000));
    command->callback([&context, &code, words] {
        print(open_operator(context).call("GET", "/audit" + query_of(*words)).data, context.json);
        code = kExitOk;
    });
}

}  // namespace agentdb9::cli
