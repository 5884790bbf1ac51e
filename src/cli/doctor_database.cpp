#include <algorithm>

#include "base/error.hpp"
#include "cli/core.hpp"
#include "cli/doctor_checks.hpp"
#include "services/repair.hpp"
#include "services/survey.hpp"

namespace agentdb9::cli {
namespace {

constexpr std::size_t kNamesShown = 3;

// "3 volumes (a, b, c)", and "and 4 more" where there are more than a few.
std::string counted(const std::string& what, const std::vector<std::string>& names) {
    std::string text = std::to_string(names.size()) + " " + what + (names.size() == 1 ? "" : "s") + " (";
    for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > kNamesShown) text += " and " + std::to_string(names.size() - kNamesShown) + " more";
    return text + ")";
}

bool is_there(const config::Configuration& configuration) {
    std::error_code ec;
    const auto file = sqlite_file(configuration);
    return !file || std::filesystem::exists(*file, ec) || ec;
}

}  // namespace

std::unique_ptr<store::Store> check_database(const config::Configuration& configuration, Findings& findings) {
    const std::string check = "database";
    if (!is_there(configuration)) {
        findings.ok(check, "There is none yet; the first start makes it.");
        return nullptr;
    }
    try {
        auto store = open_store(configuration, StoreAccess::kLook);
        if (const auto damage = store->damage(); !damage.empty()) {
            findings.problem(check, store->describe() + " is damaged: " + damage.front() + ".",
                             "Stop the server and bring back a backup; see 'Backup' in docs/operations.md.");
            return nullptr;
        }
        if (const auto pending = store->pending_migrations(); !pending.empty()) {
            findings.warning(
                check,
                store->describe() + " is of an older version: " + counted("migration", pending) + " wait.",
                "The next start applies them; 'agentdb9 migrate' does it apart from one.");
            return nullptr;
        }
        findings.ok(check, store->describe() + " is sound and up to date.");
        return store;
    } catch (const base::Error& error) {
        const bool newer = error.word() == "database_newer";
        findings.problem(check, error.message(),
                         newer
                             ? "Start the newer program again, or bring back a backup of the older database."
                             : "Check that the file is there, that this user may use it, and that the disk "
                               "has room.");
        return nullptr;
    }
}

Task<> check_purging(store::Store& store, runtime::Runtime& runtime, base::Clock& clock, Findings& findings) {
    services::DockerVolumeService volumes(clock, store, runtime);
    const auto reason = co_await volumes.purge_paused_because();
    const auto heartbeat = co_await volumes.last_heartbeat();
    if (heartbeat && *heartbeat > clock.now() + std::chrono::minutes(1)) {
        findings.warning(
            "clock",
            "The clock is behind the server's last sign of life, " + base::format_time(*heartbeat) + ".",
            "Set the clock right; until then purging pauses.");
    }
    if (reason) {
        findings.warning("purging", "Nothing in the trash is purged: " + *reason + ".",
                         "When this database is the right one, and no old copy: agentdb9 volumes resume");
    } else {
        findings.ok("purging", "What lies in the trash goes when its time is over.");
    }
}

// Containers and volumes are the next check's.
Task<> check_states(store::Store& store, runtime::Runtime& runtime, base::Clock& clock, Findings& findings) {
    services::DockerVolumeService volumes(clock, store, runtime);
    std::size_t found = 0;
    for (const auto& each : co_await services::Repair(clock, store, runtime, volumes).find()) {
        using Kind = services::Discrepancy::Kind;
        if (each.kind == Kind::kContainer || each.kind == Kind::kVolume) continue;
        ++found;
        if (each.repairable) {
            findings.warning("states", each.what, "agentdb9 doctor --repair");
        } else {
            findings.problem("states", each.what, each.remedy);
        }
    }
    if (found == 0) findings.ok("states", "No row contradicts another one.");
}

Task<> check_leftovers(store::Store& store, runtime::Runtime& runtime, Findings& findings) {
    const std::string check = "leftovers";
    const auto found = co_await services::survey(store, runtime);
    std::vector<std::string> unknown;
    std::vector<std::string> gone;
    std::vector<std::string> instances;
    for (const auto& each : found.volumes) {
        if (each.state == services::SurveyedVolume::State::kUnknown) unknown.push_back(each.name);
        if (each.state == services::SurveyedVolume::State::kInUse && !each.on_engine.value_or(true))
            gone.push_back(each.name);
    }
    instances.reserve(found.unknown_instances.size());
    for (const auto& each : found.unknown_instances)
        instances.push_back(each.name);
    if (!gone.empty()) {
        findings.problem(
            check, "The engine does not have " + counted("volume", gone) + " of the database.",
            "Bring them back from a backup; their workspaces do not start without them. 'agentdb9 volumes "
            "recreate NAME' begins anew with an empty one.");
    }
    if (!unknown.empty()) {
        findings.warning(
            check, "The database does not know " + counted("volume", unknown) + " of this installation.",
            "Is this an old copy of the database? Nothing removes them by itself.");
    }
    if (!instances.empty()) {
        findings.warning(
            check, "The database does not know the workspaces of " + counted("container", instances) + ".",
            "Is this an old copy of the database? If not: agentdb9 doctor --repair");
    }
    if (gone.empty() && unknown.empty() && instances.empty())
        findings.ok(check, "The engine and the database agree on containers and volumes.");
}

}  // namespace agentdb9::cli
