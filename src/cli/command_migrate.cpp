#include <CLI/CLI.hpp>
#include <iostream>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/core.hpp"
#include "cli/logs.hpp"

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

}  // namespace

void add_migrate(CLI::App& program, Context& context, int& code) {
    auto* command = program.add_subcommand("migrate", "Bring the database up to this version");
    command->footer(
        "'agentdb9 serve' does this by itself; use it to look first (--dry-run) or apart from a start.");
    add_configuration_options(*command, context);
    auto dry_run = std::make_shared<bool>(false);
    command->add_flag("--dry-run", *dry_run, "Only say what would be applied");
    command->add_flag("--json", context.json, "Print JSON");
    command->callback([&context, &code, dry_run] {
        const auto loaded = context.load();
        configure_logs(loaded.configuration);
        if (!*dry_run) prepare_data_directory(loaded.configuration.data_dir);
        auto store = open_store(loaded.configuration, *dry_run ? StoreAccess::kLook : StoreAccess::kServe);
        if (*dry_run) {
            print(store->pending_migrations(), {}, true, context.json);
        } else {
            const auto done = store->migrate();
            print(done.applied, done.notes, false, context.json);
        }
        code = kExitOk;
    });
}

}  // namespace agentdb9::cli
