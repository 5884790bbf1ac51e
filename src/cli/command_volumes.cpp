#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli {
namespace {

using runtime::docker::percent_encode;

constexpr const char* kResumeHint =
    "When you have checked that this database is the right one, and no old copy of it: 'agentdb9 volumes "
    "resume'.";

void print_json(const json::value& data) {
    std::cout << base::to_text(data) << "\n";
}

// What lies in the trash comes back or goes by its id; what is in use has none.
void list(OperatorClient client, bool all, bool as_json) {
    const auto data = client.call("GET", all ? "/volumes?all=true" : "/volumes").data;
    if (as_json) return print_json(data);
    Table table(
        {"VOLUME", "STATE", "KIND", "OF", "OWNER", "IN TRASH SINCE (UTC)", "PURGED AFTER (UTC)", "ID"});
    for (const auto& each : data.at("volumes").as_array()) {
        const auto& row = each.as_object();
        std::string state(row.at("state").as_string());
        if (row.at("onEngine").is_bool() && !row.at("onEngine").get_bool()) state += ", gone";
        table.add({or_dash(row.at("volumeName")), state, or_dash(row.at("kind")), or_dash(row.at("name")),
                   or_dash(row.at("userEmail")), short_time(row.at("deletedAt")),
                   short_time(row.at("purgeAfter")), or_dash(row.at("id"))});
    }
    if (table.empty()) {
        std::cout << (all ? "There are no volumes.\n" : "The trash is empty.\n");
    } else {
        std::cout << table.text();
    }
    if (!data.at("engineAnswers").as_bool())
        std::cerr << "warning: the container engine does not answer; this is what the database knows.\n";
    if (data.at("pausedBecause").is_string())
        std::cerr << "warning: purging is paused: " << or_dash(data.at("pausedBecause")) << ". "
                  << kResumeHint << "\n";
}

void restore(OperatorClient client, const std::string& id, bool as_json) {
    const auto answer = client.call("POST", "/volumes/" + percent_encode(id) + "/restore");
    if (as_json) return print_json(json::object{{"restored", id}});
    std::cout << answer.message << ".\n";
}

int purge(OperatorClient client, const std::string& id, bool confirmed, bool as_json) {
    const auto target = "/volumes/" + percent_encode(id);
    const auto volume = client.call("GET", target).data;
    const auto name = or_dash(volume.at("volumeName"));
    if (!confirmed && !confirm("Remove the volume " + name + " of the " +
                                   (or_dash(volume.at("kind")) == "home" ? "workspace '" : "project '") +
                                   or_dash(volume.at("name")) + "' for good? Nothing brings its files back.",
                               "--yes")) {
        std::cerr << "Nothing was removed.\n";
        return kExitFailed;
    }
    client.call("DELETE", target);
    if (as_json) {
        print_json(json::object{{"purged", name}});
    } else {
        std::cout << "Removed " << name << " for good.\n";
    }
    return kExitOk;
}

int clean_up(OperatorClient client, bool dry_run, bool as_json) {
    const auto data = client.call("POST", dry_run ? "/volumes/cleanup?dryRun=true" : "/volumes/cleanup").data;
    const bool paused = data.at("pausedBecause").is_string();
    const auto& volumes = data.at("volumes").as_array();
    if (as_json) {
        print_json(data);
    } else {
        for (const auto& each : volumes)
            std::cout << (dry_run ? "would remove  " : "removed  ") << or_dash(each) << "\n";
        if (volumes.empty() && !paused) std::cout << "Nothing lies in the trash longer than its time.\n";
    }
    if (!paused) return kExitOk;
    std::cerr << "Purging is paused: " << or_dash(data.at("pausedBecause")) << ". Nothing is removed. "
              << kResumeHint << "\n";
    return dry_run ? kExitOk : kExitFailed;
}

void resume(OperatorClient client, bool as_json) {
    const auto data = client.call("POST", "/volumes/resume").data;
    if (as_json) return print_json(data);
    if (data.at("pausedBecause").is_string()) {
        std::cout << "Purging was paused: " << or_dash(data.at("pausedBecause")) << ".\nIt goes on now.\n";
    } else {
        std::cout << "Purging is not paused.\n";
    }
}

int recreate(OperatorClient client, const std::string& name, bool yes, bool as_json) {
    if (!yes && !confirm("Begin anew with an empty volume '" + name +
                             "'? A backup can still bring the files back later, as a new project.",
                         "--yes")) {
        std::cerr << "Nothing was made.\n";
        return kExitFailed;
    }
    const auto data = client.call("POST", "/volumes/" + percent_encode(name) + "/recreate").data;
    if (as_json) {
        print_json(data);
    } else {
        std::cout << "Made " << name << ", empty. Its workspace can be started again.\n";
    }
    return kExitOk;
}

CLI::App* add_on_volume(CLI::App& parent, Context& context, const char* name, const char* help,
                        const std::shared_ptr<std::string>& id) {
    auto* command = parent.add_subcommand(name, help);
    command->add_option("ID", *id, "An id of 'volumes list', or the name of a volume in the trash")
        ->required()
        ->type_name("")
        ->check([](const std::string& text) { return text.empty() ? "must not be empty" : ""; });
    add_operator_options(*command, context);
    return command;
}

void add_list(CLI::App& parent, Context& context) {
    auto all = std::make_shared<bool>(false);
    auto* command = parent.add_subcommand("list", "List what lies in the trash");
    command->add_flag("--all", *all, "Also what is in use, and what the database does not know");
    command->footer(
        "STATE: 'in trash' until purged; 'in use' by a project or a workspace; 'unknown': it carries this "
        "installation's label, but the database has no owner for it, and it is never removed by itself; "
        "'gone': the engine does not have it any more.");
    add_operator_options(*command, context);
    command->callback([&context, all] { list(open_operator(context), *all, context.json); });
}

void add_purge(CLI::App& parent, Context& context, int& code) {
    auto id = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    auto* command = add_on_volume(parent, context, "purge", "Remove one volume from the trash for good", id);
    command->add_flag("--yes", *yes, "Do not ask");
    command->footer(
        "Asks before it removes; where nobody can be asked it needs --yes. Nothing brings the files "
        "back.\n\nExample:\n  agentdb9 volumes purge agentdb9-project-0b5e… --yes");
    command->callback(
        [&context, &code, id, yes] { code = purge(open_operator(context), *id, *yes, context.json); });
}

void add_clean_up(CLI::App& parent, Context& context, int& code) {
    auto dry_run = std::make_shared<bool>(false);
    auto* command =
        parent.add_subcommand("cleanup", "Remove now what lies in the trash longer than its time");
    command->add_flag("--dry-run", *dry_run, "Only say what that would be");
    command->footer("A running server does this by itself every hour.");
    add_operator_options(*command, context);
    command->callback(
        [&context, &code, dry_run] { code = clean_up(open_operator(context), *dry_run, context.json); });
}

}  // namespace

void add_volumes(CLI::App& program, Context& context, int& code) {
    auto* volumes = program.add_subcommand("volumes", "Volumes and the trash: list, restore, purge …");
    volumes->require_subcommand(1);
    volumes->footer(
        "Deleted projects and homes lie in the trash until their time is over (trash.days, 7 by default).\n\n"
        "Examples:\n"
        "  agentdb9 volumes list --all\n"
        "  agentdb9 volumes restore 0b5e1c0a-…\n"
        "  agentdb9 volumes cleanup --dry-run");
    add_list(*volumes, context);
    auto id = std::make_shared<std::string>();
    auto* command = add_on_volume(*volumes, context, "restore",
                                  "Bring a deleted project, or a workspace with its home, back", id);
    command->footer("Its owner finds it where it was.\n\nExample:\n  agentdb9 volumes restore 0b5e1c0a-…");
    command->callback([&context, id] { restore(open_operator(context), *id, context.json); });
    add_purge(*volumes, context, code);
    add_clean_up(*volumes, context, code);
    auto name = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    command =
        volumes->add_subcommand("recreate", "Make an empty volume in the place of a project's lost one");
    command->add_option("NAME", *name, "The volume's name, as 'volumes list --all' shows it as gone")
        ->required()
        ->type_name("");
    command->add_flag("--yes", *yes, "Do not ask");
    command->footer(
        "A workspace whose project's volume is gone from the engine does not start: an empty one in its "
        "place "
        "would look like lost files. When no backup brings them back, this is the way to go on.\n\nExample:\n"
        "  agentdb9 volumes recreate agentdb9-project-0b5e… --yes");
    add_operator_options(*command, context);
    command->callback(
        [&context, &code, name, yes] { code = recreate(open_operator(context), *name, *yes, context.json); });
    command = volumes->add_subcommand("resume", "Let purging go on after it paused itself");
    command->footer(
        "Purging pauses when the server did not run for more than an hour or the clock went back: a database "
        "that was restored from an old copy must not remove what was brought back since. Check that this is "
        "the right one, then resume.");
    add_operator_options(*command, context);
    command->callback([&context] { resume(open_operator(context), context.json); });
}

}  // namespace agentdb9::cli
