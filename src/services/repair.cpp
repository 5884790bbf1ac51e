#include "services/repair.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "services/contradictions.hpp"
#include "services/survey.hpp"

namespace agentdb9::services {

using Kind = Discrepancy::Kind;

namespace {

// What a purge that is due may take, and a removal that has begun.
constexpr auto kOverdue = std::chrono::hours(24);
constexpr auto kLongestRemoval = std::chrono::minutes(5);

Discrepancy volume_unknown(const SurveyedVolume& volume) {
    return {.kind = Kind::kVolume,
            .subject = volume.name,
            .what = "The volume '" + volume.name +
                    "' carries this installation's label, but the database has no owner for it.",
            .remedy =
                "Is this an old copy of the database? Nothing removes it by itself: look into it, then "
                "keep it or remove it with 'docker volume rm'."};
}

Discrepancy volume_missing(const SurveyedVolume& volume) {
    const bool home = volume.kind == model::VolumeKind::kHome;
    return {.kind = Kind::kVolume,
            .subject = volume.name,
            .what = "The volume '" + volume.name + "' of the " + (home ? "workspace" : "project") + " '" +
                    volume.owner_name + "' is gone from the engine.",
            .remedy = home ? "The workspace's next start makes an empty home."
                           : "Bring it back from a backup; 'agentdb9 volumes recreate " + volume.name +
                                 "' begins anew with an empty one."};
}

Discrepancy container_unknown(const model::Instance& instance, bool database_is_empty) {
    return {.kind = Kind::kContainer,
            .subject = instance.name,
            .what = "The container '" + instance.name +
                    "' carries this installation's label, but the database has no workspace for it.",
            .remedy = database_is_empty
                          ? "The database has no workspace at all: 'agentdb9 doctor --rebuild' makes the "
                            "rows again."
                          : "It is removed; its volumes stay.",
            .repairable = !database_is_empty};
}

bool had_a_volume(const model::Tombstone& tombstone) {
    const auto* name = tombstone.snapshot.if_contains("volumeName");
    return name != nullptr && name->is_string();
}

}  // namespace

std::string_view to_text(Kind kind) {
    switch (kind) {
        case Kind::kContainer:
            return "container";
        case Kind::kVolume:
            return "volume";
        case Kind::kState:
            return "state";
        case Kind::kLease:
            return "lease";
        case Kind::kTrash:
            return "trash";
    }
    return "";
}

// A discrepancy with what its repair needs.
struct Repair::Found {
    Discrepancy told;
    std::string instance;  // the runtime's id of a container that nobody knows
    std::optional<base::WorkspaceId> lease;
    std::optional<model::Tombstone> purge;  // to be tried again
    std::optional<model::Tombstone> gone;   // its volume is
};

Task<std::vector<Repair::Found>> Repair::look() {
    const auto surveyed = co_await survey(store_, runtime_);
    if (!surveyed.engine_answers) {
        throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable",
                          "The container engine does not answer at present; what differs between it and the "
                          "database cannot be told without it.");
    }
    const auto now = clock_.now();
    const bool paused = (co_await volumes_.purge_paused_because()).has_value();
    auto [contradictions, leases, empty] = co_await store_.read([now](store::Transaction& tx) {
        const auto rows = read_rows(tx);
        return std::tuple(find_contradictions(rows, now), tx.leases().orphans(), rows.workspaces.empty());
    });
    std::vector<Found> found;
    for (const auto& each : surveyed.unknown_instances)
        found.push_back({.told = container_unknown(each, empty),
                         .instance = each.id,
                         .lease = {},
                         .purge = {},
                         .gone = {}});
    const auto tell = [&](Discrepancy told) -> Found& {
        return found.emplace_back(
            Found{.told = std::move(told), .instance = {}, .lease = {}, .purge = {}, .gone = {}});
    };
    for (const auto& each : surveyed.volumes) {
        if (each.state == SurveyedVolume::State::kUnknown) tell(volume_unknown(each));
        if (each.state == SurveyedVolume::State::kInUse && each.on_engine == false)
            tell(volume_missing(each));
        if (!each.tombstone) continue;
        const auto& tombstone = *each.tombstone;
        const auto name = "The volume '" + each.name + "' of '" + each.owner_name + "' ";
        if (each.on_engine == false && had_a_volume(tombstone) &&
            tombstone.kind != model::VolumeKind::kUnfinished) {
            tell({.kind = Kind::kTrash,
                  .subject = each.name,
                  .what = name + "lies in the trash, but is gone from the engine.",
                  .remedy = "It leaves the trash: nothing can be restored from it.",
                  .repairable = true})
                .gone = tombstone;
        } else if ((tombstone.purging_since && now - *tombstone.purging_since > kLongestRemoval) ||
                   now - tombstone.purge_after > kOverdue) {
            tell({.kind = Kind::kTrash,
                  .subject = each.name,
                  .what = name + "should have been removed by now, but lies in the trash.",
                  .remedy = paused
                                ? "Purging is paused: 'agentdb9 volumes resume', when this database is the "
                                  "right one."
                                : "Its removal is tried again.",
                  .repairable = !paused})
                .purge = tombstone;
        }
    }
    for (const auto& each : contradictions)
        tell({.kind = each.tombstone ? Kind::kTrash : Kind::kState,
              .subject = each.subject,
              .what = each.what,
              .remedy = each.remedy,
              .repairable = each.mends()});
    for (const auto& each : leases)
        tell({.kind = Kind::kLease,
              .subject = each.str(),
              .what = "A lease was left by a workspace that does not exist any more (" + each.str() + ").",
              .remedy = "It is removed.",
              .repairable = true})
            .lease = each;
    co_return found;
}

Task<std::vector<Discrepancy>> Repair::find() {
    std::vector<Discrepancy> told;
    for (auto& each : co_await look())
        told.push_back(std::move(each.told));
    co_return told;
}

// 1. Rows, so that nothing which is in use can be purged by the next steps. 2. What those rows do not need.
Task<std::vector<Discrepancy>> Repair::carry_out() {
    auto found = co_await look();
    co_await mend_rows();
    for (auto& each : found) {
        if (!each.told.repairable) continue;
        std::optional<base::Error> failure;
        try {
            if (!each.instance.empty()) co_await runtime_.remove_instance(each.instance);
            if (each.purge && !co_await purge_again(*each.purge)) continue;
            if (each.lease) {
                co_await store_.write([id = *each.lease](store::Transaction& tx) {
                    if (!tx.workspaces().find(id)) tx.leases().forget(id);
                });
            }
            if (each.gone) {
                co_await store_.write([gone = *each.gone, now = clock_.now()](store::Transaction& tx) {
                    auto row = tx.tombstones().find(gone.id);
                    if (!row || row->restored_at || row->purged_at) return;
                    row->purged_at = now;
                    tx.tombstones().update(*row);
                });
            }
            each.told.repaired = true;
        } catch (const base::Error& error) {
            failure = error;
        }
        if (failure) each.told.remedy = "It could not be repaired: " + failure->message();
        log::info("repair", {{"what", each.told.what}, {"repaired", each.told.repaired}});
    }
    std::vector<Discrepancy> told;
    for (auto& each : found)
        told.push_back(std::move(each.told));
    co_return told;
}

Task<> Repair::mend_rows() {
    const auto mended = co_await store_.write([now = clock_.now()](store::Transaction& tx) {
        std::vector<model::Workspace> workspaces;
        for (const auto& each : find_contradictions(read_rows(tx), now)) {
            if (each.project) tx.projects().update(*each.project);
            if (each.tombstone) tx.tombstones().update(*each.tombstone);
            if (!each.workspace) continue;
            tx.workspaces().update(*each.workspace);
            workspaces.push_back(*each.workspace);
        }
        return workspaces;
    });
    if (!changed_) co_return;
    for (const auto& each : mended)
        co_await changed_(each);
}

// False when a person has taken it out of the trash meanwhile.
Task<bool> Repair::purge_again(model::Tombstone tombstone) {
    const auto now = co_await store_.read(
        [id = tombstone.id](store::Transaction& tx) { return tx.tombstones().find(id); });
    if (!now || now->restored_at || now->purged_at) co_return false;
    co_await volumes_.purge(std::nullopt, tombstone.id);
    co_return true;
}

}  // namespace agentdb9::services
