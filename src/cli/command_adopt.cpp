#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace agentdb9::cli {
namespace {

struct Counts {
    int adopted = 0;
    int left = 0;
};

Counts show(const json::array& findings, bool dry_run) {
    Counts counts;
    Table table({"KIND", "NAME", "OF", "OWNER", dry_run ? "WOULD BE" : "IS NOW", "REASON"});
    for (const auto& each : findings) {
        const auto& row = each.as_object();
        const bool adopted = row.at("adopted").as_bool();
        ++(adopted ? counts.adopted : counts.left);
        auto kind = or_dash(row.at("kind"));
        if (kind == "instance") kind = row.at("running").as_bool() ? "container, running" : "container";
        table.add({std::move(kind), or_dash(row.at("name")), or_dash(row.at("ownerName")),
                   or_dash(row.at("userEmail")), adopted ? "adopted" : "left alone",
                   or_dash(row.at("reason"))});
    }
    if (!table.empty()) std::cout << table.text();
    return counts;
}

void say_nothing_found() {
    std::cout
        << "The engine has no container and no volume of an earlier AgentDB9 that is not adopted yet.\n";
}

int adopt(OperatorClient client, bool dry_run, bool confirmed, bool as_json) {
    const auto found = client.call("POST", "/adopt?dryRun=true").data;
    if (as_json && (dry_run || confirmed)) {
        std::cout << base::to_text(dry_run ? found : client.call("POST", "/adopt").data) << "\n";
        return kExitOk;
    }
    const auto& findings = found.at("findings").as_array();
    if (findings.empty()) {
        say_nothing_found();
        return kExitOk;
    }
    if (dry_run || !confirmed) {
        const auto counts = show(findings, true);
        if (dry_run || counts.adopted == 0) return kExitOk;
        if (!confirm("Adopt " + std::to_string(counts.adopted) + " of these?", "--yes")) {
            std::cerr << "Nothing was changed.\n";
            return kExitFailed;
        }
    }
    const auto counts = show(client.call("POST", "/adopt").data.at("findings").as_array(), false);
    std::cout << "Adopted " << counts.adopted << ", left " << counts.left << " alone.\n";
    return kExitOk;
}

}  // namespace

void add_adopt(CLI::App& program, Context& context, int& code) {
    auto dry_run = std::make_shared<bool>(false);
    auto yes = std::make_shared<bool>(false);
    auto* command = program.add_subcommand(
        "adopt", "Take over the containers and volumes of an earlier AgentDB9 on this engine");
    command->add_flag("--dry-run", *dry_run, "Only say what that would be");
    command->add_flag("--yes", *yes, "Do not ask");
    command->footer(
        "After the database of an earlier AgentDB9 was migrated in place: its volumes and containers carry "
        "no "
        "label that says whose they are, so this server does not touch them until an operator says so. Files "
        "stay where they are; a container that runs goes on running. Stop the earlier server first.\n\n"
        "Examples:\n  agentdb9 adopt --dry-run\n  agentdb9 adopt --yes");
    add_operator_options(*command, context);
    command->callback([&context, &code, dry_run, yes] {
        code = adopt(open_operator(context), *dry_run, *yes, context.json);
    });
}

}  // namespace agentdb9::cli
