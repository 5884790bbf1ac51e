// workspaces limits, and quota: what one's workspaces may use, and how much one may have.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/lifecycle.hpp"
#include "cli/client/limit_options.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

struct Field {
    const char* name;  // in the API
    const char* title;
};
constexpr Field kLimits[] = {{"cpus", "cpus"},
                             {"memory", "memory (MB)"},
                             {"memoryReservation", "memory reservation (MB)"},
                             {"pids", "pids"},
                             {"shmSize", "shm size (MB)"}};
constexpr Field kQuotas[] = {{"workspaces", "workspaces"},
                             {"running", "running"},
                             {"cpus", "cpus of running"},
                             {"memory", "memory of running (MB)"},
                             {"volumeBytes", "volumes (bytes)"}};

const json::object& object_in(const json::object& object, const char* name) {
    static const json::object none;
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_object() ? value->get_object() : none;
}

std::string number_text(const json::object& object, std::string_view name, const char* absent) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_number()) return absent;
    std::ostringstream text;
    text << std::setprecision(12) << value->to_number<double>();
    return text.str();
}

bool is_pending(const json::object& limits, std::string_view field) {
    const auto* pending = limits.if_contains("pending");
    if (pending == nullptr || !pending->is_array()) return false;
    return std::ranges::any_of(pending->get_array(), [&](const json::value& each) {
        return each.is_string() && std::string_view(each.get_string()) == field;
    });
}

void show(Api& api, const Context& context, const json::object& workspace) {
    const auto data = api.get("/api/workspaces/" + text_in(workspace, "id") + "/limits").data();
    if (context.json) return print_json(data);
    const auto& limits = as_row(data, api);
    const auto& own = object_in(limits, "resourceLimits");
    const auto& in_force = object_in(limits, "inForce");
    const auto& most = object_in(limits, "maximumLimits");
    Table table({"LIMIT", "VALUE", "YOURS", "AT MOST", "SINCE"});
    const auto add = [&](const std::string& title, const json::object& values, const json::object& yours,
                         const json::object& bounds, std::string_view name, std::string_view field) {
        table.add({title, number_text(values, name, "-"), number_text(yours, name, "-"),
                   number_text(bounds, name, "-"), is_pending(limits, field) ? "the next start" : "now"});
    };
    for (const auto& [name, title] : kLimits)
        add(title, in_force, own, most, name, name);
    const auto& bounds = object_in(most, "ulimits");
    for (const auto& [name, value] : bounds) {
        add("ulimit " + printable(name), object_in(in_force, "ulimits"), object_in(own, "ulimits"), bounds,
            name, "ulimits");
    }
    std::cout << table.text();
    if (const auto problem = text_in(limits, "problem"); !problem.empty())
        std::cout << printable(problem) << "\n";
}

// "cpus now, shmSize at the next start"
std::string told(const json::object& fields) {
    std::string text;
    for (const auto& [name, when] : fields) {
        text += (text.empty() ? "" : ", ") + printable(name);
        text += when == "now" ? " now" : " at the next start";
    }
    return text;
}

void change(const Context& context, const std::string& wanted, const LimitOptions& options, bool reset) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted);
    if (options.empty() && !reset) return show(api, context, workspace);
    json::object body;
    body["resourceLimits"] = limits_body(options, reset);
    const auto answer = api.call("PUT", "/api/workspaces/" + text_in(workspace, "id"), body);
    if (context.json) {
        return print_json(
            json::object{{"workspace", answer.data()},
                         {"appliesAt", object_in(answer.body, "appliesAt")},
                         {"problem", answer.body.contains("limitsProblem") ? answer.body.at("limitsProblem")
                                                                           : json::value(nullptr)}});
    }
    const auto fields = told(object_in(answer.body, "appliesAt"));
    std::cout << (fields.empty() ? "Nothing changes for " + quoted_name(workspace) + ".\n"
                                 : quoted_name(workspace) + " has other limits: " + fields + ".\n");
    if (const auto problem = text_in(answer.body, "limitsProblem"); !problem.empty())
        std::cout << printable(problem) << "\n";
}

void show_quota(const Context& context) {
    auto api = open_api(context);
    const auto data = api.get("/api/workspaces/quota").data();
    if (context.json) return print_json(data);
    const auto& report = as_row(data, api);
    Table table({"WHAT", "IN USE", "AT MOST"});
    for (const auto& [name, title] : kQuotas) {
        table.add({title, number_text(object_in(report, "used"), name, "not measured"),
                   number_text(object_in(report, "limits"), name, "no limit")});
    }
    std::cout << table.text();
}

}  // namespace

void add_limits(CLI::App& workspaces, Context& context) {
    auto wanted = std::make_shared<std::string>();
    auto options = std::make_shared<LimitOptions>();
    auto reset = std::make_shared<bool>(false);
    auto* command = add_on_workspace(workspaces, context, "limits", "Show or change what it may use", wanted);
    command->footer(
        "Without an option it shows them, with the most that the server allows. While it runs, processors, "
        "memory and pids change at once and the rest at its next start.\n\nExamples:\n"
        "  agentdb9 workspaces limits editor\n"
        "  agentdb9 workspaces limits editor --cpus 1.5 --memory 2048\n"
        "  agentdb9 workspaces limits editor --reset");
    add_limit_options(*command, options);
    command->add_flag("--reset", *reset, "Back to what its type has, but for what is given beside it");
    command->callback([&context, wanted, options, reset] { change(context, *wanted, *options, *reset); });
}

void add_quota(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("quota", "How much you may have, and how much of it you use");
    command->footer(
        "What does not fit is refused; what runs goes on. The server's operator gives more.\n\nExample:\n"
        "  agentdb9 quota --json");
    add_client_options(*command, context);
    command->callback([&context] { show_quota(context); });
}

}  // namespace agentdb9::cli::client
