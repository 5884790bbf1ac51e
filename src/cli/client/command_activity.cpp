// workspaces activity|keep-alive: why a workspace is on still or was stopped, and what keeps it on.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/lifecycle.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

void activity(const Context& context, const std::string& wanted) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted);
    const auto data = api.get("/api/workspaces/" + text_in(workspace, "id") + "/activity").data();
    if (context.json) return print_json(data);
    const auto& report = as_row(data, api);
    Table table({"workspace", shown(workspace, "name")});
    table.add({"last used (UTC)", shown_time(report, "lastActivityAt")});
    table.add({"will be stopped (UTC)", shown_time(report, "willStopAt")});
    if (const auto* reasons = report.if_contains("keptOnBy"); reasons != nullptr && reasons->is_array()) {
        for (const auto& each : reasons->get_array()) {
            if (!each.is_object()) continue;
            const auto& reason = each.get_object();
            table.add({"kept on by", shown(reason, "source") + ": " + shown(reason, "message")});
        }
    }
    if (const auto* stop = report.if_contains("lastStop"); stop != nullptr && stop->is_object()) {
        const auto& event = stop->get_object();
        table.add({"last stopped", shown_time(event, "at") + ": " + shown(event, "why")});
    }
    std::cout << table.text();
}

struct Lease {
    std::string workspace;
    std::int64_t seconds = 3600;
};

void keep_alive(const Context& context, const Lease& lease) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, lease.workspace);
    const auto data = api.call("POST", "/api/workspaces/" + text_in(workspace, "id") + "/keep-alive",
                               {{"seconds", lease.seconds}})
                          .data();
    if (context.json) return print_json(data);
    const auto until = shown_time(as_row(data, api), "keepAliveUntil");
    if (until == "-") {
        std::cout << quoted_name(workspace) << " is not kept on any more.\n";
    } else {
        std::cout << quoted_name(workspace) << " is kept on until " << until << " (UTC) at least.\n";
    }
}

}  // namespace

void add_activity(CLI::App& workspaces, Context& context) {
    auto asked = std::make_shared<std::string>();
    add_on_workspace(workspaces, context, "activity", "Show why it is on still, or was stopped", asked)
        ->callback([&context, asked] { activity(context, *asked); });
    auto lease = std::make_shared<Lease>();
    const std::shared_ptr<std::string> wanted(lease, &lease->workspace);
    auto* command = add_on_workspace(workspaces, context, "keep-alive",
                                     "Keep it on for a while, though nobody uses it", wanted);
    command->footer("Example:\n  agentdb9 workspaces keep-alive editor --seconds 7200");
    command->add_option("--seconds", lease->seconds, "For how long; 0: no longer")
        ->type_name("NUMBER")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{31'536'000}));
    command->callback([&context, lease] { keep_alive(context, *lease); });
}

}  // namespace agentdb9::cli::client
