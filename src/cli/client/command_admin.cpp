// admin users|workspaces|overview: everybody's, for administrators.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;
using runtime::docker::percent_encode;

constexpr double kMegabyte = 1024.0 * 1024.0;

struct UserWords {
    std::string search;
    std::string role;
    bool disabled = false;
};

struct WorkspaceWords {
    std::string user;
    std::string type;
    std::string status;
};

// "?name=value&…" of those that are there.
std::string query_of(const std::vector<std::pair<std::string_view, std::string>>& parameters) {
    std::string query;
    for (const auto& [name, value] : parameters) {
        if (value.empty()) continue;
        query.append(query.empty() ? "?" : "&").append(name).append("=").append(percent_encode(value));
    }
    return query;
}

// An empty one where the server is of another version.
json::object part(const json::object& whole, std::string_view key) {
    const auto* value = whole.if_contains(key);
    return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

std::string number(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_number()) return "-";
    if (value->is_double()) {
        auto text = std::to_string(value->get_double());
        return text.substr(0, text.find('.') + 2);
    }
    return base::to_text(*value);
}

std::string megabytes(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_number()) return "-";
    return bytes_text(value->to_number<double>() * kMegabyte);
}

std::string bytes(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_number() ? bytes_text(value->to_number<double>()) : "-";
}

// "notebook 3, vscode 1"; those that are none are left out.
std::string counts(const json::object& object) {
    std::string text;
    for (const auto& [name, count] : object) {
        if (!count.is_number() || count.to_number<double>() == 0) continue;
        text.append(text.empty() ? "" : ", ")
            .append(printable(name))
            .append(" ")
            .append(base::to_text(count));
    }
    return text.empty() ? "none" : text;
}

void users(const Context& context, const UserWords& words) {
    auto api = open_api(context);
    const auto rows = api.list("/api/admin/users" + query_of({{"search", words.search},
                                                              {"role", words.role},
                                                              {"active", words.disabled ? "false" : ""}}));
    if (context.json) return print_json(rows);
    Table table(
        {"EMAIL", "ROLE", "ACTIVE", "WORKSPACES", "RUNNING", "PROJECTS", "VOLUMES", "LAST SEEN (UTC)", "ID"});
    for (const auto& each : rows) {
        const auto& user = each.as_object();
        const auto* active = user.if_contains("isActive");
        const bool is_active = active != nullptr && active->is_bool() && active->get_bool();
        table.add({shown(user, "email"), shown(user, "role"), is_active ? "yes" : "no",
                   number(user, "workspaces"), number(user, "running"), number(user, "projects"),
                   bytes(user, "volumeBytes"), shown_time(user, "lastSeenAt"), shown(user, "id")});
    }
    std::cout << (table.empty() ? "There is no such user.\n" : table.text());
}

// The id of the account with this address, or the id that was given.
std::string user_id(Api& api, const std::string& wanted) {
    if (wanted.empty() || is_id(wanted)) return wanted;
    for (const auto& each : api.list("/api/admin/users" + query_of({{"search", wanted}})))
        if (text_in(each.as_object(), "email") == wanted) return text_in(each.as_object(), "id");
    throw Error(ErrorCode::kNotFound, "user_not_found",
                "No user has the address '" + printable(wanted) + "'. 'agentdb9 admin users' lists them.");
}

void workspaces(const Context& context, const WorkspaceWords& words) {
    auto api = open_api(context);
    const auto rows = api.list(
        "/api/admin/workspaces" +
        query_of({{"user", user_id(api, words.user)}, {"type", words.type}, {"status", words.status}}));
    if (context.json) return print_json(rows);
    Table table({"NAME", "TYPE", "USER", "STATUS", "PHASE", "CHANGED (UTC)", "ID"});
    for (const auto& each : rows) {
        const auto& workspace = each.as_object();
        table.add({shown(workspace, "name"), shown(workspace, "type"), shown(workspace, "userEmail"),
                   shown(workspace, "status"), shown(workspace, "phase"), shown_time(workspace, "updatedAt"),
                   shown(workspace, "id")});
    }
    std::cout << (table.empty() ? "There is no such workspace.\n" : table.text());
}

std::string engine_text(const json::object& engine) {
    if (text_in(engine, "version").empty()) return shown(engine, "problem");
    return shown(engine, "name") + " " + shown(engine, "version") + " (API " + shown(engine, "apiVersion") +
           "), " + number(engine, "cpus") + " CPUs, " + megabytes(engine, "memory");
}

void print_operations(const json::object& operations) {
    Table kinds({"OPERATIONS OF A DAY", "SUCCEEDED", "FAILED", "SUPERSEDED"});
    for (const auto& [kind, outcomes] : part(operations, "byKind")) {
        const auto of = outcomes.is_object() ? outcomes.get_object() : json::object();
        kinds.add({printable(kind), number(of, "succeeded"), number(of, "failed"), number(of, "superseded")});
    }
    if (!kinds.empty()) std::cout << "\n" << kinds.text();
    const auto* rows = operations.if_contains("failed");
    if (rows == nullptr || !rows->is_array() || rows->get_array().empty()) return;
    Table failed({"FAILED AT (UTC)", "WHAT", "WORKSPACE", "USER", "WHY"});
    for (const auto& each : rows->get_array()) {
        if (!each.is_object()) continue;
        const auto& row = each.get_object();
        const auto name = shown(row, "workspaceName");
        failed.add({shown_time(row, "finishedAt"), shown(row, "kind"),
                    name == "-" ? shown(row, "workspaceId") : name, shown(row, "userEmail"),
                    shown(row, "error")});
    }
    std::cout << "\n" << failed.text();
}

void overview(const Context& context) {
    auto api = open_api(context);
    const auto data = api.get("/api/admin/overview").data();
    if (context.json) return print_json(data);
    const auto& whole = as_row(data, api);
    const auto users = part(whole, "users");
    const auto workspaces = part(whole, "workspaces");
    const auto running = part(whole, "running");
    const auto engine = part(whole, "engine");
    const auto starts = part(whole, "starts");
    const auto volumes = part(whole, "volumes");
    const auto operations = part(whole, "operations");
    Table table({"server", shown(part(whole, "server"), "version") + ", since " +
                               shown_time(part(whole, "server"), "startedAt") + " UTC"});
    table.add({"database", shown(part(whole, "database"), "version")});
    table.add({"engine", engine_text(engine)});
    table.add({"users", number(users, "total") + ", active " + number(users, "active") + ", admins " +
                            number(users, "admins")});
    table.add({"workspaces", number(workspaces, "total")});
    table.add({"  by status", counts(part(workspaces, "byStatus"))});
    table.add({"  by type", counts(part(workspaces, "byType"))});
    table.add({"running", number(running, "workspaces") + " with " + number(running, "cpus") + " of " +
                              number(engine, "cpus") + " CPUs and " + megabytes(running, "memory") + " of " +
                              megabytes(engine, "memory") + " by their limits"});
    table.add({"starts", number(starts, "queued") + " waiting, " + number(starts, "inProgress") + " of " +
                             number(starts, "limit") + " under way"});
    table.add({"projects", number(whole, "projects")});
    table.add({"volumes", number(volumes, "projects") + " of projects, " + number(volumes, "homes") +
                              " homes, " + number(volumes, "trash") + " in the trash; " +
                              bytes(volumes, "bytes") + " measured"});
    table.add({"under way", counts(part(operations, "open"))});
    std::cout << table.text();
    print_operations(operations);
}

}  // namespace

void add_admin(CLI::App& program, Context& context) {
    auto* admin = program.add_subcommand("admin", "Everybody's accounts and workspaces, for administrators");
    admin->require_subcommand(1);
    admin->footer(
        "On the server's own machine, 'agentdb9 user' changes accounts without a login.\n\nExamples:\n"
        "  agentdb9 admin overview\n"
        "  agentdb9 admin users --search example.org\n"
        "  agentdb9 admin workspaces --user ada@example.org --status running");

    auto asked = std::make_shared<UserWords>();
    auto* accounts = admin->add_subcommand("users", "List users, with what they have; the newest first");
    accounts->add_option("--search", asked->search, "An id, or part of an address or a name")
        ->type_name("TEXT");
    accounts->add_option("--role", asked->role, "user or admin")
        ->type_name("ROLE")
        ->check(CLI::IsMember({"user", "admin"}));
    accounts->add_flag("--disabled", asked->disabled, "Only those who cannot log in");
    add_client_options(*accounts, context);
    accounts->callback([&context, asked] { users(context, *asked); });

    auto wanted = std::make_shared<WorkspaceWords>();
    auto* all = admin->add_subcommand("workspaces", "List everybody's workspaces, the newest first");
    all->add_option("--user", wanted->user, "Whose: an address, or an id")->type_name("USER");
    all->add_option("--type", wanted->type, "Of this type")->type_name("TYPE");
    all->add_option("--status", wanted->status, "active, inactive, archived, running, stopped or error")
        ->type_name("STATUS")
        ->check(CLI::IsMember({"active", "inactive", "archived", "running", "stopped", "error"}));
    add_client_options(*all, context);
    all->callback([&context, wanted] { workspaces(context, *wanted); });

    auto* numbers = admin->add_subcommand("overview", "The installation in numbers, and what failed of late");
    add_client_options(*numbers, context);
    numbers->callback([&context] { overview(context); });
}

}  // namespace agentdb9::cli::client
