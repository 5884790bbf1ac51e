#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli {
namespace {

namespace fs = std::filesystem;
using runtime::docker::percent_encode;

void print_json(const json::value& data) {
    std::cout << base::to_text(data) << "\n";
}

std::string megabytes(const json::value& bytes) {
    return std::to_string((bytes.to_number<std::int64_t>() + 999'999) / 1'000'000);
}

// Waits for the operation's end, and throws what made it fail.
json::object finish(OperatorClient& client, json::value operation) {
    for (;;) {
        const auto& row = operation.as_object();
        const auto& state = row.at("state").as_string();
        if (state == "succeeded") return row;
        if (state == "failed") {
            throw base::conflict(or_dash(row.at("errorCode")), or_dash(row.at("error")));
        }
        // The server answers when it has ended, or after a while.
        operation = client.call("GET", "/project-operations/" + or_dash(row.at("id"))).data;
    }
}

void list(OperatorClient client, const std::string& project, bool as_json) {
    const auto data =
        client.call("GET", project.empty() ? "/backups" : "/backups?project=" + percent_encode(project)).data;
    if (as_json) return print_json(data);
    Table table({"ID", "PROJECT", "OWNER", "STATE", "MB", "MADE (UTC)", "BY", "NAME"});
    for (const auto& each : data.as_array()) {
        const auto& row = each.as_object();
        table.add({or_dash(row.at("id")), or_dash(row.at("projectName")), or_dash(row.at("userEmail")),
                   or_dash(row.at("state")), megabytes(row.at("sizeBytes")), short_time(row.at("createdAt")),
                   row.at("scheduled").as_bool() ? "schedule" : "hand", or_dash(row.at("name"))});
    }
    std::cout << (table.empty() ? "There are no backups.\n" : table.text());
}

void create(OperatorClient client, const std::string& project, const std::string& name, bool pause,
            bool as_json) {
    json::object body{{"pause", pause}};
    if (!name.empty()) body["name"] = name;
    const auto ended =
        finish(client, client.call("POST", "/projects/" + percent_encode(project) + "/backups", body).data);
    const auto backup = client.call("GET", "/backups/" + or_dash(ended.at("backupId"))).data;
    if (as_json) return print_json(backup);
    std::cout << "Made " << or_dash(backup.at("id")) << " (" << megabytes(backup.at("sizeBytes"))
              << " MB): " << or_dash(backup.at("path")) << "\n";
    if (!backup.at("consistent").as_bool())
        std::cerr
            << "warning: a workspace ran meanwhile, so that the copy is not of one moment; --pause avoids "
               "that.\n";
}

void restore(OperatorClient client, const std::string& id, bool as_new, const std::string& name,
             bool as_json) {
    json::object body{{"asNew", as_new}};
    if (!name.empty()) body["name"] = name;
    const auto ended =
        finish(client, client.call("POST", "/backups/" + percent_encode(id) + "/restore", body).data);
    const bool made = ended.at("newProjectId").is_string();
    const auto project = or_dash(ended.at(made ? "newProjectId" : "projectId"));
    if (as_json) return print_json(json::object{{"projectId", project}});
    std::cout << (made ? "Restored into the new project " : "Restored the project ") << project << ".\n";
    if (!made) std::cout << "What it had lies in the trash: 'agentdb9 volumes list'.\n";
}

int remove(OperatorClient client, const std::string& id, bool confirmed, bool as_json) {
    const auto target = "/backups/" + percent_encode(id);
    const auto backup = client.call("GET", target).data;
    if (!confirmed && !confirm("Delete the backup of the project '" + or_dash(backup.at("projectName")) +
                                   "' of " + short_time(backup.at("createdAt")) + " UTC for good?",
                               "--yes")) {
        std::cerr << "Nothing was deleted.\n";
        return kExitFailed;
    }
    client.call("DELETE", target);
    if (as_json) {
        print_json(json::object{{"deleted", id}});
    } else {
        std::cout << "Deleted.\n";
    }
    return kExitOk;
}

// The file lies on this machine, where this program's user can read it: no server has to hand it over.
void export_file(OperatorClient client, const std::string& id, const std::string& to, bool as_json) {
    const auto backup = client.call("GET", "/backups/" + percent_encode(id)).data;
    if (backup.at("state").as_string() != "complete") {
        throw base::conflict("backup_not_complete",
                             "This backup is not complete: there is nothing to export.");
    }
    std::error_code ec;
    fs::copy_file(or_dash(backup.at("path")), to, fs::copy_options::none, ec);
    if (ec) {
        throw base::Error(base::ErrorCode::kUnavailable, "export_failed",
                          "The backup could not be copied to " + to + ": " + ec.message() + ".");
    }
    if (as_json) return print_json(json::object{{"file", to}, {"sha256", backup.at("sha256")}});
    std::cout << "Copied to " << to << ", SHA-256 " << or_dash(backup.at("sha256")) << ".\n";
}

void import_file(OperatorClient client, const std::string& file, const std::string& user, std::string name,
                 bool as_json) {
    const auto path = fs::absolute(file);
    if (name.empty()) name = path.filename().string().substr(0, path.filename().string().find('.'));
    const auto ended =
        finish(client, client
                           .call("POST", "/backups/import",
                                 json::object{{"user", user}, {"file", path.string()}, {"name", name}})
                           .data);
    const auto project = or_dash(ended.at("newProjectId"));
    if (as_json) return print_json(json::object{{"projectId", project}});
    std::cout << "Imported into the new project " << project << " of " << user << ".\n";
}

CLI::App* add_on_backup(CLI::App& parent, Context& context, const char* name, const char* help,
                        const std::shared_ptr<std::string>& id) {
    auto* command = parent.add_subcommand(name, help);
    command->add_option("ID", *id, "An id of 'backups list'")
        ->required()
        ->type_name("")
        ->check([](const std::string& text) { return text.empty() ? "must not be empty" : ""; });
    add_operator_options(*command, context);
    return command;
}

void add_list(CLI::App& parent, Context& context) {
    auto project = std::make_shared<std::string>();
    auto* command = parent.add_subcommand("list", "List backups, the newest first");
    command->add_option("--project", *project, "Only those of the project with this id")->type_name("ID");
    add_operator_options(*command, context);
    command->callback([&context, project] { list(open_operator(context), *project, context.json); });
}

void add_create(CLI::App& parent, Context& context) {
    auto project = std::make_shared<std::string>();
    auto name = std::make_shared<std::string>();
    auto pause = std::make_shared<bool>(false);
    auto* command = parent.add_subcommand("create", "Back a project up");
    command->add_option("PROJECT", *project, "The project's id")->required()->type_name("");
    command->add_option("--name", *name, "What the backup is called")->type_name("TEXT");
    command->add_flag("--pause", *pause, "Freeze a running workspace meanwhile, for a minute at most");
    add_operator_options(*command, context);
    command->callback([&context, project, name, pause] {
        create(open_operator(context), *project, *name, *pause, context.json);
    });
}

void add_restore(CLI::App& parent, Context& context) {
    auto id = std::make_shared<std::string>();
    auto name = std::make_shared<std::string>();
    auto as_new = std::make_shared<bool>(false);
    auto* command = add_on_backup(parent, context, "restore", "Give a project a backup's files", id);
    command->add_flag("--new", *as_new, "Into a new project of the same owner");
    command->add_option("--name", *name, "What that is called; implies --new")->type_name("TEXT");
    command->footer("What the project had goes to the trash. No workspace may run with it.");
    command->callback(
        [&context, id, name, as_new] { restore(open_operator(context), *id, *as_new, *name, context.json); });
}

void add_delete(CLI::App& parent, Context& context, int& code) {
    auto id = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    auto* command = add_on_backup(parent, context, "delete", "Delete a backup for good", id);
    command->add_flag("--yes", *yes, "Do not ask");
    command->callback(
        [&context, &code, id, yes] { code = remove(open_operator(context), *id, *yes, context.json); });
}

void add_transfers(CLI::App& parent, Context& context) {
    auto id = std::make_shared<std::string>();
    auto file = std::make_shared<std::string>();
    auto* command = add_on_backup(parent, context, "export", "Copy a backup's file", id);
    command->add_option("FILE", *file, "A new file")->required()->type_name("");
    command->callback(
        [&context, id, file] { export_file(open_operator(context), *id, *file, context.json); });
    auto user = std::make_shared<std::string>();
    auto name = std::make_shared<std::string>();
    command = parent.add_subcommand("import", "Make a project from an archive");
    command->add_option("FILE", *file, "tar, plain or compressed by gzip or zstd; the server reads it")
        ->required()
        ->type_name("");
    command->add_option("--user", *user, "Whose it will be: an e-mail address or an id")
        ->required()
        ->type_name("WHO");
    command->add_option("--name", *name, "What the project is called; else as the file")->type_name("TEXT");
    add_operator_options(*command, context);
    command->callback([&context, file, user, name] {
        import_file(open_operator(context), *file, *user, *name, context.json);
    });
}

}  // namespace

void add_backups(CLI::App& program, Context& context, int& code) {
    auto* backups = program.add_subcommand("backups", "Backups of projects: list, create, restore …");
    backups->require_subcommand(1);
    backups->footer(
        "Examples:\n"
        "  agentdb9 backups list\n"
        "  agentdb9 backups create 9b6f8f5c-… --pause\n"
        "  agentdb9 backups restore 5d0e3c52-… --new\n"
        "  agentdb9 backups import engine.tar.zst --user ada@example.org");
    add_list(*backups, context);
    add_create(*backups, context);
    add_restore(*backups, context);
    add_delete(*backups, context, code);
    add_transfers(*backups, context);
}

}  // namespace agentdb9::cli
