// stats: what workspaces' containers use, once or over and over.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <iostream>
#include <thread>

#include "cli/client/commands.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/operation.hpp"
#include "cli/client/text.hpp"
#include "cli/table.hpp"

namespace agentdb9::cli::client {
namespace {

// Each measurement takes a second or two by itself.
constexpr std::chrono::milliseconds kPause{500};

struct Wanted {
    std::vector<std::string> workspaces;
    bool follow = false;
};

struct Measured {
    json::object workspace;
    json::value stats;  // null: it does not run
};

double number_at(const json::value& stats, std::string_view group, std::string_view key) {
    const auto* part = stats.is_object() ? stats.get_object().if_contains(group) : nullptr;
    const auto* value = part != nullptr && part->is_object() ? part->get_object().if_contains(key) : nullptr;
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string percent(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %%", value);
    return text.data();
}

std::string pids_of(const json::value& stats) {
    const auto* value = stats.is_object() ? stats.get_object().if_contains("pids") : nullptr;
    return value != nullptr && value->is_number() ? std::to_string(value->to_number<std::int64_t>()) : "-";
}

Table table_of(const std::vector<Measured>& all) {
    Table table({"WORKSPACE", "CPU", "MEMORY", "LIMIT", "NET IN/OUT", "BLOCK READ/WRITTEN", "PIDS"});
    for (const auto& [workspace, stats] : all) {
        if (stats.is_null()) {
            table.add({shown(workspace, "name"), "not running", "-", "-", "-", "-", "-"});
            continue;
        }
        const auto size = [&](std::string_view group, std::string_view key) {
            return bytes_text(number_at(stats, group, key));
        };
        table.add({shown(workspace, "name"), percent(number_at(stats, "cpu", "percent")),
                   size("memory", "usedBytes") + " (" + percent(number_at(stats, "memory", "percent")) + ")",
                   size("memory", "limitBytes"),
                   size("network", "receivedBytes") + " / " + size("network", "sentBytes"),
                   size("blockIo", "readBytes") + " / " + size("blockIo", "writtenBytes"), pids_of(stats)});
    }
    return table;
}

json::array json_of(const std::vector<Measured>& all) {
    json::array rows;
    for (const auto& [workspace, stats] : all) {
        rows.push_back(json::object{{"workspaceId", text_in(workspace, "id")},
                                    {"name", text_in(workspace, "name")},
                                    {"stats", stats}});
    }
    return rows;
}

std::vector<Measured> chosen(Api& api, const Wanted& wanted) {
    std::vector<Measured> all;
    for (const auto& each : wanted.workspaces)
        all.push_back({find_workspace(api, each), nullptr});
    if (!wanted.workspaces.empty()) return all;
    for (const auto& each : api.list("/api/workspaces"))
        if (text_in(each.as_object(), "status") == "running") all.push_back({each.as_object(), nullptr});
    return all;
}

void measure(Api& api, std::vector<Measured>& all) {
    for (auto& [workspace, stats] : all) {
        try {
            stats = api.get("/api/workspaces/" + text_in(workspace, "id") + "/container-stats").data();
        } catch (const base::Error& error) {
            if (error.word() != "workspace_not_running") throw;
            stats = nullptr;
        }
        if (Interruption::happened()) return;
    }
}

// In the place of the one before, on a terminal.
void print(const std::vector<Measured>& all, bool as_json, bool again) {
    if (as_json) return print_json(json_of(all));
    if (again) std::cout << "\x1b[" << all.size() + 1 << "A\x1b[J";
    std::cout << table_of(all).text() << std::flush;
}

int run(const Context& context, const Wanted& wanted) {
    auto api = open_api(context);
    auto all = chosen(api, wanted);
    if (all.empty() && !context.json) {
        std::cout << "None of your workspaces is running.\n";
        return kExitOk;
    }
    if (!wanted.follow) {
        measure(api, all);
        print(all, context.json, false);
        return kExitOk;
    }
    const Interruption interruption;
    api.set_cancelled([] { return Interruption::happened(); });
    const bool in_place = ::isatty(STDOUT_FILENO) == 1;
    for (bool again = false; !Interruption::happened() && std::cout; again = in_place) {
        try {
            measure(api, all);
        } catch (const base::Error&) {
            if (!Interruption::happened()) throw;
        }
        if (Interruption::happened()) break;
        print(all, context.json, again);
        std::cout.flush();
        std::this_thread::sleep_for(kPause);
    }
    return kExitInterrupted;
}

}  // namespace

void add_stats(CLI::App& program, Context& context, int& code) {
    auto wanted = std::make_shared<Wanted>();
    auto* command = program.add_subcommand("stats", "Show what workspaces' containers use");
    command->footer(
        "CPU: of one processor; 200 % are two. Memory: without what the kernel may drop at "
        "once.\n\nExamples:\n"
        "  agentdb9 stats                    # all that run\n"
        "  agentdb9 stats --follow editor");
    command->add_option("WORKSPACE", wanted->workspaces, "Names or ids; absent: all that are running")
        ->type_name("");
    command->add_flag("-f,--follow", wanted->follow, "Measure again and again, until Ctrl-C");
    add_client_options(*command, context);
    command->callback([&context, &code, wanted] { code = run(context, *wanted); });
}

}  // namespace agentdb9::cli::client
