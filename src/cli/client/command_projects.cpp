// projects list|create|show|delete.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/client/commands.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

namespace agentdb9::cli::client {
namespace {

void list(const Context& context) {
    auto api = open_api(context);
    const auto projects = api.list("/api/projects");
    if (context.json) return print_json(projects);
    if (projects.empty()) {
        std::cout << "You have no projects. 'agentdb9 projects create NAME' makes one.\n";
        return;
    }
    Table table({"NAME", "TYPE", "LANGUAGE", "CREATED (UTC)", "ID"});
    for (const auto& each : projects) {
        const auto& project = each.as_object();
        table.add({shown(project, "name"), shown(project, "workspaceType"), shown(project, "language"),
                   shown_time(project, "createdAt"), shown(project, "id")});
    }
    std::cout << table.text();
}

struct NewProject {
    std::string name;
    std::string description;
    std::string language;
    std::string repository;
};

void create(const Context& context, const NewProject& wanted) {
    auto api = open_api(context);
    json::object body{{"name", wanted.name}};
    if (!wanted.description.empty()) body["description"] = wanted.description;
    if (!wanted.language.empty()) body["language"] = wanted.language;
    if (!wanted.repository.empty()) body["repositoryUrl"] = wanted.repository;
    const auto data = api.call("POST", "/api/projects", body).data();
    if (context.json) return print_json(data);
    const auto& project = as_row(data, api);
    std::cout << "Created project " << quoted_name(project) << " (" << shown(project, "id") << ").\n";
}

void show(const Context& context, const std::string& wanted) {
    auto api = open_api(context);
    const auto project = find_project(api, wanted);
    if (context.json) return print_json(project);
    Table table({"name", shown(project, "name")});
    table.add({"id", shown(project, "id")});
    table.add({"description", shown(project, "description")});
    table.add({"language", shown(project, "language")});
    table.add({"repository", shown(project, "repositoryUrl")});
    table.add({"workspace type", shown(project, "workspaceType")});
    table.add({"workspace", shown(project, "workspaceId")});
    table.add({"volume", shown(project, "volumeName")});
    table.add({"created (UTC)", shown_time(project, "createdAt")});
    std::cout << table.text();
}

int remove(const Context& context, const std::string& wanted, bool yes) {
    auto api = open_api(context);
    const auto project = find_project(api, wanted);
    if (!yes &&
        !confirm(
            "Delete project " + quoted_name(project) +
                "? Its files go to the trash and can be brought back from there until their time is over.",
            "--yes")) {
        std::cerr << "Nothing was deleted.\n";
        return kExitFailed;
    }
    const auto data = api.call("DELETE", "/api/projects/" + text_in(project, "id")).data();
    if (context.json) {
        print_json(data);
        return kExitOk;
    }
    std::cout << "Deleted project " << quoted_name(project) << "."
              << trash_note(api, project, "Its files are") << "\n";
    return kExitOk;
}

CLI::App* add_on_project(CLI::App& parent, Context& context, const char* name, const char* help,
                         const std::shared_ptr<std::string>& wanted) {
    auto* command = parent.add_subcommand(name, help);
    command->add_option("PROJECT", *wanted, "Its name or id")
        ->required()
        ->type_name("")
        ->check([](const std::string& text) { return text.empty() ? "must not be empty" : ""; });
    add_client_options(*command, context);
    return command;
}

}  // namespace

void add_projects(CLI::App& program, Context& context, int& code) {
    auto* projects = program.add_subcommand("projects", "Your projects: list, create, show, delete");
    projects->alias("project");
    projects->require_subcommand(1);
    projects->footer(
        "A project is a body of work; its files lie in a volume of its own. Projects are named by their "
        "name, where "
        "only one has it, or their id.\n\nExamples:\n"
        "  agentdb9 projects create website\n"
        "  agentdb9 projects list --json\n"
        "  agentdb9 projects delete website");

    auto* all = projects->add_subcommand("list", "List your projects, the newest first");
    all->alias("ls");
    add_client_options(*all, context);
    all->callback([&context] { list(context); });

    auto wanted = std::make_shared<NewProject>();
    auto* made = projects->add_subcommand("create", "Make a project");
    made->add_option("NAME", wanted->name, "1 to 100 characters")->required()->type_name("");
    made->add_option("--description", wanted->description, "What it is for")->type_name("TEXT");
    made->add_option("--language", wanted->language, "Its language")->type_name("NAME");
    made->add_option("--repository", wanted->repository, "Where its sources come from; kept as a note")
        ->type_name("URL");
    add_client_options(*made, context);
    made->callback([&context, wanted] { create(context, *wanted); });

    auto which = std::make_shared<std::string>();
    add_on_project(*projects, context, "show", "Show one project", which)->callback([&context, which] {
        show(context, *which);
    });

    auto unwanted = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    auto* gone =
        add_on_project(*projects, context, "delete", "Delete a project; its files go to the trash", unwanted);
    gone->alias("rm");
    gone->footer(
        "A project that a running workspace has as its current one is not deleted: stop that first.");
    gone->add_flag("--yes,-y", *yes, "Do not ask");
    gone->callback([&context, &code, unwanted, yes] { code = remove(context, *unwanted, *yes); });
}

}  // namespace agentdb9::cli::client
