// workspaces set: when it stops and starts by itself.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/lifecycle.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/settings_body.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

json::value member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr ? *value : json::value(nullptr);
}

std::string idle_text(const json::value& minutes) {
    if (!minutes.is_int64()) return "default (as its type says)";
    if (minutes.get_int64() == 0) return "never";
    return "after " + std::to_string(minutes.get_int64()) + " minutes";
}

json::object settings_of(const json::object& workspace) {
    return {{"id", member(workspace, "id")},
            {"idleStopMinutes", member(workspace, "idleStopMinutes")},
            {"schedule", member(workspace, "schedule")},
            {"wakeOnRequest", member(workspace, "wakeOnRequest")}};
}

void show(const Context& context, const json::object& workspace) {
    if (context.json) return print_json(settings_of(workspace));
    Table table({"workspace", shown(workspace, "name")});
    table.add({"stops when nobody uses it", idle_text(member(workspace, "idleStopMinutes"))});
    const auto schedule = member(workspace, "schedule");
    if (!schedule.is_object()) {
        table.add({"schedule", "none"});
    } else {
        for (const auto& each : schedule_texts(schedule.get_object()))
            table.add({"schedule", each});
        table.add({"time zone", shown(schedule.get_object(), "zone")});
    }
    const auto wake = member(workspace, "wakeOnRequest");
    table.add({"starts when asked for", wake.is_bool() && wake.get_bool() ? "on" : "off"});
    std::cout << table.text();
}

void set(const Context& context, const std::string& wanted, const SettingOptions& options) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted);
    if (options.empty()) return show(context, workspace);
    const auto body = settings_body(options, time_zone_here(), member(workspace, "schedule"));
    const auto data = api.call("PUT", "/api/workspaces/" + text_in(workspace, "id"), body).data();
    show(context, as_row(data, api));
}

}  // namespace

void add_set(CLI::App& workspaces, Context& context) {
    auto wanted = std::make_shared<std::string>();
    auto options = std::make_shared<SettingOptions>();
    auto* command =
        add_on_workspace(workspaces, context, "set", "Show or change when it stops and starts", wanted);
    command->footer(
        "Without an option it shows them. --schedule may be repeated, a rule each; all that were set before "
        "are replaced.\n\nExamples:\n"
        "  agentdb9 workspaces set editor --idle-stop 60\n"
        "  agentdb9 workspaces set editor --idle-stop never --wake on\n"
        "  agentdb9 workspaces set editor --schedule 'mon-fri 08:00-18:30' --schedule 'sat 10:00-'\n"
        "  agentdb9 workspaces set editor --schedule none");
    command
        ->add_option("--idle-stop", options->idle_stop,
                     "Stop it when nobody has used it for so long: never, default")
        ->type_name("MINUTES");
    command
        ->add_option("--schedule", options->schedule,
                     "Start and stop it at these hours: 'mon-fri 08:00-18:30'; none")
        ->type_name("RULE")
        ->allow_extra_args(false);
    command->add_option("--zone", options->zone, "Of these hours, like Europe/Berlin; absent: this machine's")
        ->type_name("ZONE");
    command->add_option("--wake", options->wake, "Start it when its application is asked for")
        ->type_name("SWITCH")
        ->check(CLI::IsMember({"on", "off"}));
    command->callback([&context, wanted, options] { set(context, *wanted, *options); });
}

}  // namespace agentdb9::cli::client
