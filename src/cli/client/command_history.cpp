// workspaces history: what happened in a workspace's life.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/lifecycle.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

struct Asked {
    std::string workspace;
    int limit = 50;
};

// "user", "token", "server".
std::string who(const json::object& event) {
    const auto* by = event.if_contains("by");
    return by != nullptr && by->is_object() ? shown(by->get_object(), "kind") : "-";
}

void history(const Context& context, const Asked& asked) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, asked.workspace);
    const auto data = api.get("/api/workspaces/" + text_in(workspace, "id") +
                              "/history?limit=" + std::to_string(asked.limit))
                          .data();
    if (context.json) return print_json(data);
    Table table({"TIME (UTC)", "WHAT", "BY", "WHY"});
    for (const auto& each : rows_of(data, api.url())) {
        const auto& event = each.as_object();
        table.add({shown_time(event, "at"), shown(event, "kind"), who(event), shown(event, "why")});
    }
    if (table.empty()) {
        std::cout << "Nothing is known of the life of " << quoted_name(workspace) << ".\n";
        return;
    }
    std::cout << table.text();
}

}  // namespace

void add_history(CLI::App& workspaces, Context& context) {
    auto asked = std::make_shared<Asked>();
    const std::shared_ptr<std::string> wanted(asked, &asked->workspace);
    auto* command = add_on_workspace(workspaces, context, "history",
                                     "Show what happened in its life, the newest first", wanted);
    command->footer("Example:\n  agentdb9 workspaces history editor --limit 10");
    command->add_option("--limit", asked->limit, "How many lines at most")
        ->type_name("NUMBER")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    command->callback([&context, asked] { history(context, *asked); });
}

}  // namespace agentdb9::cli::client
