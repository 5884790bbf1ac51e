#include <CLI/CLI.hpp>
#include <iostream>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/core.hpp"
#include "cli/logs.hpp"
#include "store/migrate.hpp"

namespace agentdb9::cli {
namespace {

void print(const std::vector<std::string>& names, const std::vector<std::string>& notes, bool pending,
           bool as_json) {
    if (as_json) {
        std::cout << base::to_text(json::object{{pending ? "pending" : "applied", json::value_from(names)},
                                                {"notes", json::value_from(notes)}})
                  << "\n";
        return;
    }
    if (names.empty()) std::cout << "The database is up to date.\n";
    for (const auto& name : names)
        std::cout << (pending ? "pending  " : "applied  ") << name << "\n";
    for (const auto& note : notes)
        std::cout << "note     " << note << "\n";
}

store::Migrated migrate(const config::Configuration& configuration) {
    prepare_data_directory(configuration.data_dir);
    return open_store(configuration, StoreAccess::kServe)->migrate();
}

// Where there is no database yet, every migration waits.
std::vector<std::string> pending(const config::Configuration& configuration) {
    std::error_code ec;
    const auto file = sqlite_file(configuration);
    if (!file || std::filesystem::exists(*file, ec) || ec)
        return open_store(configuration, StoreAccess::kLook)->pending_migrations();
    std::vector<std::string> names;
    for (const auto& each : store::known_migrations())
        names.push_back(each.name);
    return names;
}

}  // namespace

void add_migrate(CLI::App& program, Context& context, int& code) {
    auto* command = program.add_subcommand("migrate", "Bring the database up to this version");
    command->footer(
        "'agentdb9 serve' does this by itself; use it to look first (--dry-run), or apart from a start. "
        "Makes the "
        "data directory and the database where there are none. No server may run on it meanwhile; --dry-run "
        "may "
        "be asked beside one.\n\nExamples:\n"
        "  agentdb9 migrate --dry-run\n"
        "  agentdb9 migrate --data-dir /var/lib/agentdb9");
    add_configuration_options(*command, context);
    auto dry_run = std::make_shared<bool>(false);
    command->add_flag("--dry-run", *dry_run, "Only say what would be applied");
    command->add_flag("--json", context.json, "Print JSON");
    command->callback([&context, &code, dry_run] {
        const auto loaded = context.load();
        configure_command_logs(loaded.configuration);
        const auto done =
            *dry_run ? store::Migrated{pending(loaded.configuration), {}} : migrate(loaded.configuration);
        print(done.applied, done.notes, *dry_run, context.json);
        code = kExitOk;
    });
}

}  // namespace agentdb9::cli
