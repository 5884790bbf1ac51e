// workspaces start|stop|restart|switch|delete: asked for, and followed to the end.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/lifecycle.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/operation.hpp"
#include "cli/client/text.hpp"
#include "cli/terminal.hpp"

namespace agentdb9::cli::client {
namespace {

struct Options {
    std::string workspace;
    std::string project;  // of switch
    bool no_wait = false;
    bool force = false;
    bool yes = false;
};

struct Act {
    std::string noun;  // "start"
    std::string doing;
    std::string done;
    std::string method = "POST";
    std::string path;  // after the workspace's
    json::object body = {};
};

std::string seconds_text(std::chrono::steady_clock::duration time) {
    std::array<char, 32> text{};
    const auto seconds = std::chrono::duration<double>(time).count();
    std::snprintf(text.data(), text.size(), "%.1f s", seconds);
    return text.data();
}

void tell_going_on(const std::string& beginning, const json::object& workspace) {
    std::cerr << beginning << " How far it is: agentdb9 workspaces status " << name_or_id(workspace) << "\n";
}

// What --json shows when it is done: the workspace, as an answer without waiting would have had it.
json::value outcome(Api& api, const json::object& workspace, const Act& act) {
    if (act.method == "DELETE") return nullptr;
    return api.get("/api/workspaces/" + text_in(workspace, "id")).data();
}

// Asks for it, and answers the exit code.
int run(Api& api, const Context& context, const json::object& workspace, const Act& act,
        const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    const auto path =
        "/api/workspaces/" + text_in(workspace, "id") + act.path + (options.force ? "?force=true" : "");
    const auto answer = api.call(act.method, path, act.body, true);
    auto data = answer.data();
    if (answer.status == 202 && options.no_wait) {
        if (context.json) {
            print_json(data);
        } else {
            std::cout << "The " << act.noun << " of " << quoted_name(workspace) << " has begun.\n";
            tell_going_on("It goes on at the server.", workspace);
        }
        return kExitOk;
    }
    if (answer.status == 202) {
        Progress progress(act.doing + " " + quoted_name(workspace));
        const Interruption interruption;
        api.set_cancelled(&Interruption::happened);
        const auto ending = follow(api, as_row(data, api), progress);
        api.set_cancelled({});
        progress.clear();
        if (ending == Ending::kInterrupted) {
            tell_going_on("The " + act.noun + " of " + quoted_name(workspace) + " goes on at the server.",
                          workspace);
            return kExitInterrupted;
        }
        if (context.json) data = outcome(api, workspace, act);
    }
    if (context.json) {
        print_json(data);
    } else {
        std::cout << act.done << " (" << seconds_text(std::chrono::steady_clock::now() - began) << ").";
        if (act.method == "DELETE") std::cout << trash_note(api, workspace, "Its home is");
        std::cout << "\n";
    }
    return kExitOk;
}

void add_no_wait(CLI::App& command, const std::shared_ptr<Options>& options) {
    command.add_flag("--no-wait", options->no_wait, "Ask for it, and do not wait until it is done");
}

void add_force(CLI::App& command, const std::shared_ptr<Options>& options) {
    command.add_flag("--force", options->force, "End what runs in it without asking it first");
}

// start, stop and restart, which are alike.
CLI::App* add_simple(CLI::App& workspaces, Context& context, int& code, const char* name, const char* help,
                     const char* doing, const char* done) {
    auto options = std::make_shared<Options>();
    const std::shared_ptr<std::string> wanted(options, &options->workspace);
    auto* command = add_on_workspace(workspaces, context, name, help, wanted);
    add_no_wait(*command, options);
    if (std::string_view(name) == "stop") add_force(*command, options);
    command->callback([&context, &code, options, name, doing, done] {
        auto api = open_api(context);
        const auto workspace = find_workspace(api, options->workspace);
        const Act act{.noun = name,
                      .doing = doing,
                      .done = std::string(done) + " " + quoted_name(workspace),
                      .path = "/" + std::string(name)};
        code = run(api, context, workspace, act, *options);
    });
    return command;
}

void add_switch(CLI::App& workspaces, Context& context, int& code) {
    auto options = std::make_shared<Options>();
    const std::shared_ptr<std::string> wanted(options, &options->workspace);
    auto* command = add_on_workspace(workspaces, context, "switch",
                                     "Give it another project, also while it runs", wanted);
    command->footer(
        "If the project cannot be used, the old one stays. Example:\n  agentdb9 workspaces switch editor "
        "website");
    command->add_option("PROJECT", options->project, "The project's name or id")->required()->type_name("");
    add_no_wait(*command, options);
    command->callback([&context, &code, options] {
        auto api = open_api(context);
        const auto workspace = find_workspace(api, options->workspace);
        const auto project = find_project(api, options->project);
        const Act act{.noun = "switch",
                      .doing = "Switching",
                      .done = "Switched " + quoted_name(workspace) + " to project " + quoted_name(project),
                      .path = "/switch-project",
                      .body = {{"projectId", text_in(project, "id")}}};
        code = run(api, context, workspace, act, *options);
    });
}

void add_delete(CLI::App& workspaces, Context& context, int& code) {
    auto options = std::make_shared<Options>();
    const std::shared_ptr<std::string> wanted(options, &options->workspace);
    auto* command =
        add_on_workspace(workspaces, context, "delete", "Delete a workspace; its projects stay", wanted);
    command->alias("rm");
    command->footer(
        "Its container goes. Projects and their files stay as they are. Its home (settings, extensions, "
        "shell history), "
        "where its type keeps one, goes to the trash.");
    command->add_flag("--yes,-y", options->yes, "Do not ask");
    add_no_wait(*command, options);
    add_force(*command, options);
    command->callback([&context, &code, options] {
        auto api = open_api(context);
        const auto workspace = find_workspace(api, options->workspace);
        const auto question =
            "Delete workspace " + quoted_name(workspace) +
            "? Its container goes; its projects and their files stay; its home, if it has one, goes "
            "to the trash.";
        if (!options->yes && !confirm(question, "--yes")) {
            std::cerr << "Nothing was deleted.\n";
            code = kExitFailed;
            return;
        }
        const Act act{.noun = "deletion",
                      .doing = "Deleting",
                      .done = "Deleted " + quoted_name(workspace),
                      .method = "DELETE",
                      .path = ""};
        code = run(api, context, workspace, act, *options);
    });
}

}  // namespace

void add_lifecycle(CLI::App& workspaces, Context& context, int& code) {
    add_simple(workspaces, context, code, "start", "Start it, and wait until its application answers",
               "Starting", "Started");
    add_simple(workspaces, context, code, "stop", "Stop it; its files stay", "Stopping", "Stopped");
    add_simple(workspaces, context, code, "restart", "Stop it, if it runs, and start it", "Restarting",
               "Restarted");
    add_switch(workspaces, context, code);
    add_delete(workspaces, context, code);
}

}  // namespace agentdb9::cli::client
