// workspaces list|types|create|show|status|open. What takes its time is in command_lifecycle.cpp.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/lifecycle.hpp"
#include "cli/client/limit_options.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/operation.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"
#include "model/workspace_type.hpp"

extern char** environ;

namespace agentdb9::cli::client {
namespace {

bool is_true(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
}

// The status, and where it is on its way to another one.
std::string state_of(const json::object& workspace) {
    const auto status = shown(workspace, "status");
    const auto phase = shown(workspace, "phase");
    return phase == status || phase == "-" || phase == "stopped" || phase == "failed"
               ? status
               : status + " (" + phase + ")";
}

void list(const Context& context) {
    auto api = open_api(context);
    const auto workspaces = api.list("/api/workspaces");
    if (context.json) return print_json(workspaces);
    if (workspaces.empty()) {
        std::cout << "You have no workspaces. 'agentdb9 workspaces create --type vscode' makes one.\n";
        return;
    }
    const auto projects = api.list("/api/projects");
    Table table({"NAME", "TYPE", "STATUS", "PROJECT", "DEFAULT", "ID"});
    for (const auto& each : workspaces) {
        const auto& workspace = each.as_object();
        table.add({shown(workspace, "name"), shown(workspace, "type"), state_of(workspace),
                   project_name(projects, workspace), is_true(workspace, "isDefault") ? "default" : "-",
                   shown(workspace, "id")});
    }
    std::cout << table.text();
}

void list_types(const Context& context) {
    auto api = open_api(context);
    const auto data = api.get("/api/workspaces/types").data();
    if (context.json) return print_json(data);
    Table table({"TYPE", "NAME", "AVAILABLE", "DESCRIPTION"});
    for (const auto& each : rows_of(data, api.url())) {
        const auto& type = each.as_object();
        table.add({shown(type, "type"), shown(type, "name"), is_true(type, "available") ? "yes" : "no",
                   shown(type, "description")});
    }
    std::cout << table.text();
}

struct NewWorkspace {
    std::vector<std::string> words;
    std::string name;
    std::string type;
    std::string description;
    std::string project;
    bool is_default = false;
    bool wake = false;
    std::shared_ptr<LimitOptions> limits = std::make_shared<LimitOptions>();
};

// What somebody meant who put the type beside the name.
void check_words(NewWorkspace& wanted) {
    const auto usage = [](const std::string& sentence) {
        return base::Error(base::ErrorCode::kInvalid, "invalid_arguments", sentence);
    };
    const auto types = model::built_in_types();
    const auto is_type = [&](const std::string& word) {
        return std::ranges::find(types, word, &model::WorkspaceType::type) != types.end();
    };
    const auto command = [](const std::string& name, const std::string& type) {
        return "'agentdb9 workspaces create " + (name.empty() ? "" : shell_word(name) + " ") + "--type " +
               shell_word(type) + "'";
    };
    const auto& words = wanted.words;
    if (words.size() > 1 && !wanted.type.empty()) {
        throw usage("A workspace has one name; quote it where it has blanks: " +
                    command(words[0] + " " + words[1], wanted.type) + ".");
    }
    if (words.size() > 1) {
        const bool swapped = !is_type(words[0]) && is_type(words[1]);
        throw usage("Its type is named by --type. Did you mean " +
                    command(words[swapped ? 0 : 1], words[swapped ? 1 : 0]) + "?");
    }
    if (wanted.type.empty() && words.size() == 1 && is_type(words[0]))
        throw usage("Its type is named by --type. Did you mean " + command({}, words[0]) + "?");
    if (wanted.type.empty())
        throw usage("Name its type by --type: 'agentdb9 workspaces types' lists what there is.");
    if (!words.empty()) wanted.name = words[0];
}

void create(const Context& context, NewWorkspace wanted) {
    check_words(wanted);
    auto api = open_api(context);
    json::object body{{"type", wanted.type}};
    if (!wanted.name.empty()) body["name"] = wanted.name;
    if (!wanted.description.empty()) body["description"] = wanted.description;
    if (!wanted.project.empty()) body["projectId"] = text_in(find_project(api, wanted.project), "id");
    if (wanted.is_default) body["isDefault"] = true;
    if (wanted.wake) body["wakeOnRequest"] = true;
    if (!wanted.limits->empty()) body["resourceLimits"] = limits_body(*wanted.limits, false);
    const auto data = api.call("POST", "/api/workspaces", body).data();
    if (context.json) return print_json(data);
    const auto& workspace = as_row(data, api);
    std::cout << "Created workspace " << quoted_name(workspace) << " (" << shown(workspace, "id")
              << "). Start it: agentdb9 workspaces start " << name_or_id(workspace) << "\n";
}

void show(const Context& context, const std::string& wanted) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted);
    if (context.json) return print_json(workspace);
    Table table({"name", shown(workspace, "name")});
    table.add({"id", shown(workspace, "id")});
    table.add({"type", shown(workspace, "type")});
    table.add({"status", state_of(workspace)});
    table.add({"project", project_name(api.list("/api/projects"), workspace)});
    table.add({"description", shown(workspace, "description")});
    table.add({"default", is_true(workspace, "isDefault") ? "yes" : "no"});
    table.add({"starts when asked for", is_true(workspace, "wakeOnRequest") ? "yes" : "no"});
    table.add({"last error", shown(workspace, "lastError")});
    table.add({"created (UTC)", shown_time(workspace, "createdAt")});
    std::cout << table.text();
}

// "start: running, waiting for the application"
std::string told(const json::object& operation) {
    auto text = shown(operation, "kind") + ": " + shown(operation, "state");
    if (const auto error = text_in(operation, "error"); !error.empty()) return text + ", " + printable(error);
    const auto phase = phase_text(operation);
    return phase.empty() || phase == "done" ? text : text + ", " + printable(phase);
}

void status(const Context& context, const std::string& wanted) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted);
    const auto data = api.get("/api/workspaces/" + text_in(workspace, "id") + "/status").data();
    if (context.json) return print_json(data);
    const auto& report = as_row(data, api);
    Table table({"workspace", shown(workspace, "name")});
    table.add({"status", state_of(report)});
    table.add({"health", shown(report, "health")});
    if (const auto* instance = report.if_contains("containerInfo");
        instance != nullptr && instance->is_object()) {
        table.add({"container", shown(instance->get_object(), "name")});
        table.add({"image", shown(instance->get_object(), "image")});
    }
    if (const auto* operation = report.if_contains("operation");
        operation != nullptr && operation->is_object()) {
        table.add({"last operation", told(operation->get_object())});
        const auto* queue = operation->get_object().if_contains("queue");
        if (queue != nullptr && queue->is_object())
            table.add({"waits because", shown(queue->get_object(), "reason")});
    }
    if (const auto error = text_in(workspace, "lastError"); !error.empty())
        table.add({"last error", printable(error)});
    std::cout << table.text();
}

bool has_desktop() {
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY"}) {
        const auto* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return true;
    }
    return false;
}

// Whether the desktop took it. Its program's own words are not ours.
bool open_in_browser(const std::string& url) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2})
        ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    std::string program = "xdg-open";
    std::string address = url;
    std::array<char*, 3> words{program.data(), address.data(), nullptr};
    pid_t child = 0;
    const bool started = ::posix_spawnp(&child, "xdg-open", &actions, nullptr, words.data(), environ) == 0;
    ::posix_spawn_file_actions_destroy(&actions);
    int ended = 0;
    return started && ::waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

struct Opened {
    std::string workspace;
    int port = 0;
    bool print = false;
};

void open(const Context& context, const Opened& wanted) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted.workspace);
    json::object body;
    if (wanted.port != 0) body["port"] = wanted.port;
    const auto data =
        api.call("POST", "/api/workspaces/" + text_in(workspace, "id") + "/proxy-ticket", body).data();
    if (text_in(workspace, "status") != "running" && !is_true(workspace, "wakeOnRequest")) {
        std::cerr << "warning: " << quoted_name(workspace)
                  << " does not run. Start it first: agentdb9 workspaces start " << name_or_id(workspace)
                  << "\n";
    }
    if (context.json) return print_json(data);
    const auto url = text_in(as_row(data, api), "url");
    // Only what a browser is for; anything else would be a file or a program on this machine.
    const bool is_web = url.starts_with("https://") || url.starts_with("http://");
    if (!wanted.print && is_web && has_desktop() && open_in_browser(url)) {
        std::cout << "Opened " << quoted_name(workspace) << " in the browser.\n";
        return;
    }
    std::cout << printable(url) << "\n";
    std::cerr << "The link is good once, within a minute, and only for you.\n";
}

void add_create(CLI::App& parent, Context& context) {
    auto wanted = std::make_shared<NewWorkspace>();
    auto* made = parent.add_subcommand("create", "Make a workspace");
    made->footer(
        "Examples:\n  agentdb9 workspaces create editor --type vscode --project website\n"
        "  agentdb9 workspaces create small --type vscode --cpus 1 --memory 1024");
    made->add_option("NAME", wanted->words, "1 to 100 characters; absent: one is made up")
        ->type_name("")
        ->expected(0, 2);
    made->add_option("--type", wanted->type,
                     "Required. What runs in it: 'agentdb9 workspaces types' lists what there is")
        ->type_name("TYPE");
    made->add_option("--project", wanted->project,
                     "Its current project, by name or id; absent: it gets one of its own")
        ->type_name("PROJECT");
    made->add_option("--description", wanted->description, "What it is for")->type_name("TEXT");
    made->add_flag("--default", wanted->is_default, "Make it the default; the first one is anyway");
    made->add_flag("--wake-on-request", wanted->wake, "Start it when its application is asked for");
    add_limit_options(*made, wanted->limits);
    add_client_options(*made, context);
    made->callback([&context, wanted] { create(context, *wanted); });
}

void add_open(CLI::App& parent, Context& context) {
    auto wanted = std::make_shared<Opened>();
    auto* command = parent.add_subcommand("open", "Open its application in a browser");
    command->footer(
        "Without a desktop (DISPLAY, WAYLAND_DISPLAY), or with --print, the link is printed: it is good "
        "once, within a "
        "minute.\n\nExamples:\n  agentdb9 workspaces open editor\n  agentdb9 workspaces open editor --port "
        "3000 --print");
    command->add_option("WORKSPACE", wanted->workspace, "Its name or id")->required()->type_name("");
    command->add_option("--port", wanted->port, "Another port that something in it listens on")
        ->type_name("PORT")
        ->check(CLI::Range(1, 65535));
    command->add_flag("--print", wanted->print, "Print the link, even on a desktop");
    add_client_options(*command, context);
    command->callback([&context, wanted] { open(context, *wanted); });
}

}  // namespace

CLI::App* add_on_workspace(CLI::App& parent, Context& context, const char* name, const char* help,
                           const std::shared_ptr<std::string>& wanted) {
    auto* command = parent.add_subcommand(name, help);
    command->add_option("WORKSPACE", *wanted, "Its name or id")
        ->required()
        ->type_name("")
        ->check([](const std::string& text) { return text.empty() ? "must not be empty" : ""; });
    add_client_options(*command, context);
    return command;
}

void add_workspaces(CLI::App& program, Context& context, int& code) {
    auto* workspaces =
        program.add_subcommand("workspaces", "Your workspaces: create, start, open, switch, delete …");
    workspaces->alias("workspace")->alias("ws");
    workspaces->require_subcommand(1);
    workspaces->footer(
        "A workspace is an environment of one type that runs as a container. Workspaces and projects are "
        "named by their "
        "name, where only one has it, or their id. 'ws' is short for 'workspaces'.\n\nExamples:\n"
        "  agentdb9 ws create editor --type vscode --project website\n"
        "  agentdb9 ws start editor\n"
        "  agentdb9 ws open editor\n"
        "  agentdb9 ws switch editor other-project\n"
        "  agentdb9 ws list --json");

    auto* all =
        workspaces->add_subcommand("list", "List your workspaces, the default first, then the newest");
    all->alias("ls");
    add_client_options(*all, context);
    all->callback([&context] { list(context); });
    auto* types = workspaces->add_subcommand("types", "List the types that a workspace can have");
    add_client_options(*types, context);
    types->callback([&context] { list_types(context); });
    add_create(*workspaces, context);
    auto shown_one = std::make_shared<std::string>();
    add_on_workspace(*workspaces, context, "show", "Show one workspace", shown_one)
        ->callback([&context, shown_one] { show(context, *shown_one); });
    auto asked = std::make_shared<std::string>();
    add_on_workspace(*workspaces, context, "status", "Show how one is, and what was done last", asked)
        ->callback([&context, asked] { status(context, *asked); });
    add_history(*workspaces, context);
    add_activity(*workspaces, context);
    add_set(*workspaces, context);
    add_limits(*workspaces, context);
    add_lifecycle(*workspaces, context, code);
    add_open(*workspaces, context);
}

}  // namespace agentdb9::cli::client
