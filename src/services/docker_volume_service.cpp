#include "services/docker_volume_service.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "model/instance.hpp"
#include "services/access.hpp"
#include "services/quota_rules.hpp"
#include "services/snapshot.hpp"
#include "services/volume_swap.hpp"

namespace agentdb9::services {

using base::Error;
using model::Project;
using model::Tombstone;
using model::VolumeKind;
using store::Transaction;

namespace {

constexpr auto kHeartbeatKey = "heartbeat";
constexpr auto kPausedKey = "purgePausedBecause";
constexpr auto kLookLimit = std::chrono::seconds(2);
constexpr auto kLongestGap = std::chrono::hours(1);
// No removal takes longer: who has not finished by then never will.
constexpr auto kLongestRemoval = std::chrono::minutes(5);

Error damaged() {
    return base::conflict("restore_impossible",
                          "What was recorded at the deletion is damaged; ask the operator.");
}

void bring_project_back(Transaction& tx, const Tombstone& tombstone, base::Time now) {
    auto project = project_from(tombstone.snapshot);
    if (!project) throw damaged();
    if (tx.projects().find(project->id)) {
        throw base::conflict("already_restored", "The project is there already; nothing is left to do.");
    }
    // Its workspace may have been deleted meanwhile; then it is as if it had been unassigned.
    const auto workspace =
        project->workspace_id ? tx.workspaces().find(*project->workspace_id) : std::nullopt;
    if (!workspace || workspace->user_id != project->user_id ||
        workspace->desired_state == model::DesiredState::kDeleted) {
        project->workspace_id.reset();
        project->workspace_type.reset();
    }
    project->updated_at = now;
    tx.projects().insert(*project);
}

model::Workspace bring_workspace_back(Transaction& tx, const Tombstone& tombstone, base::Time now,
                                      const model::Actor& by) {
    auto workspace = workspace_from(tombstone.snapshot);
    if (!workspace) throw damaged();
    if (tx.workspaces().find(workspace->id)) {
        throw base::conflict("already_restored", "The workspace is there already; nothing is left to do.");
    }
    workspace->container_name = model::instance_name(workspace->id);
    workspace->is_default = !has_default(tx, workspace->user_id);
    workspace->updated_at = now;
    tx.workspaces().insert(*workspace);
    tx.life_events().insert(model::make_life_event(workspace->id, model::LifeEventKind::kRestored, now, by,
                                                   "It was brought back from the trash, with its home."));
    return std::move(*workspace);
}

// The volume that a restore from a backup replaced is the project's again.
std::vector<base::WorkspaceId> bring_volume_back(Transaction& tx, const Tombstone& tombstone,
                                                 const NewVolume& next, base::Time now) {
    const auto id = base::ProjectId::parse(tombstone.owner_id);
    auto project = id ? tx.projects().find(*id) : std::nullopt;
    if (!project || project->user_id != tombstone.user_id) {
        throw base::conflict("project_missing",
                             "The project that had this volume was deleted; restore the project first.");
    }
    return swap_volume(tx, std::move(*project), next, now);
}

Error being_purged() {
    return base::conflict("volume_being_purged",
                          "This volume is being removed for good just now; it cannot be restored any more.");
}

}  // namespace

Task<Project> DockerVolumeService::create_project_volume(Project project) {
    if (project.volume_name) co_return project;
    const auto volume = co_await runtime_.ensure_volume({.name = model::project_volume_name(project.id),
                                                         .project_id = project.id,
                                                         .workspace_id = {},
                                                         .user_id = project.user_id});
    const auto now = clock_.now();
    co_return co_await store_.write([project, volume, now](Transaction& tx) {
        auto row = tx.projects().find(project.id);
        if (!row) return project;
        row->volume_name = volume.name;
        row->volume_path = volume.path;
        row->updated_at = now;
        tx.projects().update(*row);
        return *row;
    });
}

Task<Project> DockerVolumeService::ensure_project_volume(Project project) {
    std::optional<Error> failure;
    try {
        auto made =
            co_await base::with_timeout(clock_, std::chrono::seconds(2), create_project_volume(project));
        if (made) co_return std::move(*made);
    } catch (const Error& error) {
        failure = error;
    }
    log::info(
        "the project's volume is made later",
        {{"projectId", project.id.view()}, {"reason", failure ? failure->what() : "the engine is slow"}});
    co_return project;
}

Task<std::vector<runtime::Volume>> DockerVolumeService::list_project_volumes() {
    co_return co_await runtime_.volumes();
}

Task<VolumeInfo> DockerVolumeService::volume_info(base::UserId user, base::ProjectId id) {
    const auto project = co_await store_.read([=](Transaction& tx) { return owned_project(tx, user, id); });
    VolumeInfo info{.name = project.volume_name.value_or(model::project_volume_name(id)),
                    .path = project.volume_path};
    try {
        const auto found = co_await base::with_timeout(clock_, kLookLimit, runtime_.find_volume(info.name));
        info.engine_answers = found.has_value();
        info.exists = found && *found;
        if (info.exists) info.path = (*found)->path;
    } catch (const Error&) {
        info.engine_answers = false;
    }
    // What was seen last.
    if (!info.engine_answers) {
        info.exists = project.volume_name.has_value();
    }
    co_return info;
}

Task<std::vector<Tombstone>> DockerVolumeService::trash(std::optional<base::UserId> user) {
    co_return co_await store_.read([=](Transaction& tx) {
        auto rows = tx.tombstones().open(user);
        // Nobody has thrown it away.
        if (user) {
            std::erase_if(rows, [](const Tombstone& row) { return row.kind == VolumeKind::kUnfinished; });
        }
        return rows;
    });
}

Task<Tombstone> DockerVolumeService::find_open(std::optional<base::UserId> user, base::TombstoneId id) {
    co_return co_await store_.read([=](Transaction& tx) {
        auto found = tx.tombstones().find(id);
        if (!found || (user && found->user_id != *user) || found->purged_at) throw base::not_found("volume");
        if (user && found->kind == VolumeKind::kUnfinished) throw base::not_found("volume");
        if (found->restored_at) {
            throw base::conflict("already_restored",
                                 "This volume has been restored already; nothing is left to do.");
        }
        return *found;
    });
}

Task<Tombstone> DockerVolumeService::find_in_trash(std::string id_or_volume) {
    if (const auto id = base::TombstoneId::parse(id_or_volume))
        co_return co_await find_open(std::nullopt, *id);
    auto found = co_await store_.read(
        [id_or_volume](Transaction& tx) { return tx.tombstones().find_open_by_volume(id_or_volume); });
    if (!found) {
        throw Error(base::ErrorCode::kNotFound, "volume_not_found",
                    "Nothing in the trash has the id or volume name '" + id_or_volume +
                        "'; 'agentdb9 volumes list' shows what lies there.");
    }
    co_return std::move(*found);
}

Task<std::optional<model::Workspace>> DockerVolumeService::restore(std::optional<base::UserId> user,
                                                                   base::TombstoneId id) {
    const auto tombstone = co_await find_open(user, id);
    const auto volume = co_await runtime_.find_volume(tombstone.volume_name);
    const bool had_one =
        tombstone.snapshot.contains("volumeName") && tombstone.snapshot.at("volumeName").is_string();
    if (!volume && had_one) {
        throw base::conflict("volume_missing",
                             "The volume '" + tombstone.volume_name +
                                 "' is gone from the engine, so there is nothing to restore from it.");
    }
    const auto now = clock_.now();
    // Without a user it is the operator who asks.
    const auto by = user ? model::Actor{model::ActorKind::kUser, user->str()}
                         : model::Actor{model::ActorKind::kOperator, std::nullopt};
    const NewVolume next{tombstone.volume_name, volume ? volume->path : "", now + trash_time_};
    auto [came_back, behind] = co_await store_.write([=, this](Transaction& tx) {
        auto open = tx.tombstones().find(id);
        if (!open || open->restored_at || open->purged_at) {
            throw base::conflict("already_restored",
                                 "Somebody else has just restored or purged this volume.");
        }
        if (open->purging_since) throw being_purged();
        open->restored_at = now;
        tx.tombstones().update(*open);
        std::optional<model::Workspace> workspace;
        std::vector<base::WorkspaceId> left_behind;
        switch (open->kind) {
            case VolumeKind::kProject:
                bring_project_back(tx, *open, now);
                break;
            case VolumeKind::kHome:
                if (user) require_room_to_create(tx, *user, model::Catalogue({}), quota_);
                workspace = bring_workspace_back(tx, *open, now, by);
                break;
            case VolumeKind::kReplaced:
                left_behind = bring_volume_back(tx, *open, next, now);
                break;
            case VolumeKind::kUnfinished:
                throw base::conflict("restore_impossible",
                                     "This volume is only half filled: there is nothing to restore from it.");
        }
        return std::pair(workspace, left_behind);
    });
    for (const auto& each : behind)
        left_behind_(each);
    co_return std::move(came_back);
}

// Whoever removes a volume says so first, in the row that a restore looks at: a volume that has just been
// restored must not vanish. One who died over it is taken over from: at once where this is the only server
// and began after the claim, else when it has had its time. Returns what to take the claim back with.
Task<Tombstone> DockerVolumeService::claim(Tombstone tombstone) {
    const auto now = clock_.now();
    const bool others = store_.server_name().has_value();
    co_return co_await store_.write([=, this](Transaction& tx) {
        auto row = tx.tombstones().find(tombstone.id);
        if (!row || row->restored_at || row->purged_at) throw base::not_found("volume");
        if (row->purging_since && (others || *row->purging_since >= began_) &&
            std::chrono::abs(now - *row->purging_since) < kLongestRemoval) {
            throw being_purged();
        }
        row->purging_since = now;
        tx.tombstones().update(*row);
        return *row;
    });
}

Task<> DockerVolumeService::give_up(Tombstone claimed) {
    co_await store_.write([=](Transaction& tx) {
        auto row = tx.tombstones().find(claimed.id);
        if (!row || row->purging_since != claimed.purging_since) return;
        row->purging_since.reset();
        tx.tombstones().update(*row);
    });
}

// A stopped container may still refer to the volume; the reconciler is told, which removes it when its
// project is gone, so that a later round succeeds. After any other failure it is not known whether the volume
// is still there: the claim stays, and a later round goes on with it.
Task<> DockerVolumeService::remove_volume_of(Tombstone tombstone) {
    tombstone = co_await claim(std::move(tombstone));
    std::optional<Error> refusal;
    try {
        co_await remove_ours(tombstone);
    } catch (const Error& error) {
        if (error.code() != base::ErrorCode::kConflict) throw;
        refusal = error;
    }
    if (refusal) {
        co_await give_up(tombstone);
        co_await tell_users_of(tombstone.volume_name);
        throw std::move(*refusal);
    }
    const auto now = clock_.now();
    co_await store_.write([tombstone, now](Transaction& tx) {
        auto row = tx.tombstones().find(tombstone.id);
        if (!row) return;
        row->purged_at = now;
        tx.tombstones().update(*row);
        const auto workspace = base::WorkspaceId::parse(row->owner_id);
        if (row->kind == VolumeKind::kHome && workspace && !tx.workspaces().find(*workspace))
            tx.life_events().remove_all(*workspace);
    });
}

// Whoever let the volume go may have died, or lost the database, before anybody was told.
Task<> DockerVolumeService::tell_users_of(std::string volume) {
    try {
        for (const auto& instance : co_await runtime_.instances_on_volume(volume))
            left_behind_(instance.workspace_id);
    } catch (const Error& error) {
        log::info("who uses a volume is not known", {{"volume", volume}, {"reason", error.what()}});
    }
}

Task<> DockerVolumeService::remove_ours(Tombstone tombstone) {
    const auto volume = co_await runtime_.find_volume(tombstone.volume_name);
    if (!volume) co_return;
    const auto owner = tombstone.kind == VolumeKind::kHome
                           ? (volume->workspace_id ? volume->workspace_id->str() : std::string())
                           : (volume->project_id ? volume->project_id->str() : std::string());
    if (!volume->ours || owner != tombstone.owner_id) {
        throw base::conflict("volume_not_ours",
                             "The volume '" + tombstone.volume_name +
                                 "' does not carry this installation's labels; it is left alone.");
    }
    co_await runtime_.remove_volume(tombstone.volume_name);
}

Task<> DockerVolumeService::purge(std::optional<base::UserId> user, base::TombstoneId id) {
    const auto tombstone = co_await find_open(user, id);
    if (tombstone.kind == VolumeKind::kUnfinished && tombstone.purge_after > clock_.now()) {
        throw base::conflict("volume_in_use",
                             "This volume is being filled just now; wait until that has ended.");
    }
    log::info("a volume is purged",
              {{"volume", tombstone.volume_name}, {"userId", tombstone.user_id.view()}});
    co_await remove_volume_of(tombstone);
}

Task<std::vector<Tombstone>> DockerVolumeService::overdue() {
    auto all = co_await trash(std::nullopt);
    std::erase_if(all, [now = clock_.now()](const Tombstone& each) {
        return each.purge_after > now && !each.purging_since;
    });
    co_return all;
}

Task<DockerVolumeService::CleanUp> DockerVolumeService::clean_up() {
    CleanUp result;
    if (const auto reason = co_await purge_paused_because()) {
        log::warning("purging is paused", {{"reason", *reason}});
        co_return result;
    }
    for (const auto& tombstone : co_await overdue()) {
        std::optional<Error> failure;
        try {
            co_await remove_volume_of(tombstone);
            result.removed.push_back(tombstone);
            log::info("a volume's time in the trash is over", {{"volume", tombstone.volume_name}});
        } catch (const Error& error) {
            failure = error;
        }
        if (failure) {
            log::warning("a volume stays in the trash",
                         {{"volume", tombstone.volume_name}, {"reason", failure->what()}});
            result.kept.push_back({tombstone, failure->message()});
        }
    }
    co_return result;
}

Task<std::vector<std::string>> DockerVolumeService::cleanup_orphaned_volumes() {
    std::vector<std::string> removed;
    for (const auto& tombstone : (co_await clean_up()).removed)
        removed.push_back(tombstone.volume_name);
    co_return removed;
}

Task<> DockerVolumeService::heartbeat() {
    const auto now = clock_.now();
    co_await store_.write([now](Transaction& tx) {
        auto settings = tx.settings();
        if (const auto last_text = settings.get(kHeartbeatKey)) {
            const auto last = base::parse_time(*last_text).value_or(now);
            std::string reason;
            if (now - last > kLongestGap)
                reason = "the server did not run between " + *last_text + " and " + base::format_time(now);
            if (last - now > std::chrono::minutes(1))
                reason = "the clock went back from " + *last_text + " to " + base::format_time(now);
            if (!reason.empty() && !settings.get(kPausedKey)) settings.set(kPausedKey, reason);
        }
        settings.set(kHeartbeatKey, base::format_time(now));
    });
}

Task<std::optional<base::Time>> DockerVolumeService::last_heartbeat() {
    const auto text = co_await store_.read([](Transaction& tx) { return tx.settings().get(kHeartbeatKey); });
    co_return text ? base::parse_time(*text) : std::nullopt;
}

Task<std::optional<std::string>> DockerVolumeService::purge_paused_because() {
    co_return co_await store_.read([](Transaction& tx) { return tx.settings().get(kPausedKey); });
}

Task<> DockerVolumeService::resume_purge() {
    co_await store_.write([](Transaction& tx) { tx.settings().remove(kPausedKey); });
}

}  // namespace agentdb9::services
