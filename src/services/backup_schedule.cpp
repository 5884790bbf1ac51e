#include "services/backup_schedule.hpp"

#include <algorithm>
#include <map>

#include "base/log.hpp"
#include "services/access.hpp"

namespace agentdb9::services {

using base::Error;
using model::Backup;
using model::BackupState;
using model::Project;
using store::Transaction;

namespace {

// Operations are kept for thirty days; what happened earlier cannot be told.
constexpr std::chrono::days kRemembered{25};

// An instance has run on its volume since, or may have.
bool may_have_changed(Transaction& tx, const Project& project, const Backup& last, base::Time now) {
    const auto* volume = last.snapshot.if_contains("volumeName");
    if (volume == nullptr || !volume->is_string() || volume->as_string() != project.volume_name.value_or(""))
        return true;
    if (now - last.created_at > kRemembered) return true;
    for (const auto& workspace : tx.workspaces().using_project(project.id)) {
        if (workspace.desired_state == model::DesiredState::kRunning) return true;
    }
    return tx.operations().any_since(project.user_id, last.created_at);
}

}  // namespace

Task<> BackupSchedule::run() {
    if (settings_.every.count() == 0) co_return;
    co_await begin_due();
    co_await retire();
}

bool BackupSchedule::is_due(Transaction& tx, const Project& project,
                            const std::vector<Backup>& scheduled) const {
    if (!project.volume_name) return false;
    const auto now = t_.clock.now();
    // Also after one that failed: the reason will seldom have gone within minutes.
    const auto last = std::ranges::find(scheduled, project.id, &Backup::project_id);
    if (last != scheduled.end() && now - last->created_at < settings_.every) return false;
    const auto complete = tx.backups().latest_complete(project.id);
    if (!complete) return true;
    return now - complete->created_at >= settings_.every && may_have_changed(tx, project, *complete, now);
}

Task<> BackupSchedule::begin_due() {
    const auto due = co_await t_.store.read([this](Transaction& tx) {
        const auto scheduled = tx.backups().scheduled();
        auto projects = tx.projects().all();
        std::erase_if(projects, [&](const Project& each) { return !is_due(tx, each, scheduled); });
        return projects;
    });
    for (const auto& project : due) {
        std::optional<Error> failure;
        try {
            BackupRequest request;
            request.scheduled = true;
            co_await backups_.create(project.user_id, project.id, request);
        } catch (const Error& error) {
            failure = error;
        }
        // Another backup or restore of it is under way, or another server was first.
        if (!failure || failure->word() == "project_busy") continue;
        if (failure->code() == base::ErrorCode::kUnavailable) throw std::move(*failure);
        if (told_.insert(project.id.str() + failure->word()).second) {
            log::warning("a scheduled backup cannot be made",
                         {{"projectId", project.id.view()}, {"reason", failure->what()}});
        }
    }
}

// Of each project the newest complete ones stay, and the last failure. Of one that is gone for good none
// does: its time in the trash is over.
Task<> BackupSchedule::retire() {
    // A database that may be an old copy removes nothing.
    if (co_await volumes_.purge_paused_because()) co_return;
    const auto keep = settings_.keep;
    const auto surplus = co_await t_.store.read([keep](Transaction& tx) {
        std::set<std::string> alive;
        for (const auto& each : tx.projects().all())
            alive.insert(each.id.str());
        for (const auto& each : tx.tombstones().open(std::nullopt))
            alive.insert(each.owner_id);
        std::map<base::ProjectId, std::size_t> complete;
        std::set<base::ProjectId> failed;
        std::vector<Backup> found;
        for (const auto& each : tx.backups().scheduled()) {
            if (each.state == BackupState::kRunning) continue;
            bool stays = alive.contains(each.project_id.str());
            if (each.state == BackupState::kComplete) {
                stays = stays && ++complete[each.project_id] <= keep;
            } else {
                stays = stays && complete[each.project_id] == 0 && failed.insert(each.project_id).second;
            }
            if (!stays) found.push_back(each);
        }
        return found;
    });
    for (const auto& each : surplus) {
        try {
            co_await backups_.remove(each.user_id, each.project_id, each.id);
        } catch (const Error& error) {
            if (error.code() == base::ErrorCode::kUnavailable) throw;
            log::debug("a backup is retired later", {{"backupId", each.id.view()}, {"reason", error.what()}});
        }
    }
}

}  // namespace agentdb9::services
