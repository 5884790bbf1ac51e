#include "services/cleaning_duties.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "model/life_event.hpp"

namespace agentdb9::services {

using base::Error;
using model::CleaningItem;
using model::CleaningOutcome;
using model::DesiredState;
using model::Instance;
using model::Workspace;
using model::WorkspaceStatus;
using store::Transaction;

namespace {

// Where other servers work, too, only a helper that is older than any transfer takes is nobody's.
constexpr std::chrono::hours kLongestTransfer{24};

std::string paused_text(const std::string& reason) {
    return "Removing is paused: " + reason + ". 'agentdb9 volumes resume' ends that.";
}

// The moment at which this database deleted the workspace, as far as it knows of that.
std::optional<base::Time> deleted_at(Transaction& tx, const base::WorkspaceId& workspace) {
    if (tx.workspaces().find(workspace)) return std::nullopt;
    const auto last = tx.operations().latest_of(workspace);
    if (last && last->kind == model::OperationKind::kDelete &&
        last->state == model::OperationState::kSucceeded)
        return last->finished_at.value_or(last->created_at);
    // Operations are forgotten after a time; what lay in the trash is not.
    for (const auto& tombstone : tx.tombstones().of_owner(workspace.str())) {
        if (tombstone.kind == model::VolumeKind::kHome && !tombstone.restored_at) return tombstone.deleted_at;
    }
    return std::nullopt;
}

CleaningItem container(const Instance& instance) {
    CleaningItem item{.kind = "container", .name = instance.name, .why = {}, .since = instance.created_at};
    return item;
}

std::optional<CleaningItem> judge_orphan(Transaction& tx, const Instance& instance) {
    if (tx.workspaces().find(instance.workspace_id)) return std::nullopt;
    auto item = container(instance);
    if (const auto when = deleted_at(tx, instance.workspace_id)) {
        item.why = "Its workspace was deleted.";
        item.since = when;
        return item;
    }
    item.outcome = CleaningOutcome::kKept;
    item.why =
        "The database knows nothing of its workspace. Is this an old copy of it? 'agentdb9 doctor' tells "
        "what can be done.";
    return item;
}

// What a start that failed made has never served anybody; what ran before that may hold files of its user's
// outside of the volumes, and stays.
bool was_left_by(const model::Operation& failed, const Instance& instance) {
    if (instance.state == model::InstanceState::kCreated) return true;
    if (instance.state != model::InstanceState::kExited && instance.state != model::InstanceState::kDead)
        return false;
    // The engine tells whole seconds.
    return instance.created_at &&
           *instance.created_at >= std::chrono::floor<std::chrono::seconds>(failed.created_at) &&
           failed.kind == model::OperationKind::kStart;
}

std::optional<CleaningItem> judge_failed(Transaction& tx, const Instance& instance, base::Time latest) {
    const auto row = tx.workspaces().find(instance.workspace_id);
    if (!row || row->desired_state != DesiredState::kStopped || row->phase != model::Phase::kFailed)
        return std::nullopt;
    // One above that was made when the database was a newer one.
    if (instance.adopted || instance.generation > row->last_generation) return std::nullopt;
    const auto last = tx.operations().latest_of(row->id);
    if (!last || last->state != model::OperationState::kFailed) return std::nullopt;
    const auto since = last->finished_at.value_or(last->created_at);
    if (since > latest || !was_left_by(*last, instance)) return std::nullopt;
    auto item = container(instance);
    item.since = since;
    item.why =
        "The start of the workspace '" + row->name + "' failed and left it; the next one makes a new one.";
    return item;
}

bool may_be_inactive(const Workspace& row) {
    return row.desired_state == DesiredState::kStopped && !row.schedule &&
           (row.status == WorkspaceStatus::kActive || row.status == WorkspaceStatus::kStopped) &&
           row.phase == model::Phase::kStopped;
}

base::Time last_use(Transaction& tx, const Workspace& row) {
    auto last = std::max(row.created_at, row.updated_at);
    const auto marks = tx.activities().of_workspace(row.id);
    if (const auto used = model::latest(marks)) last = std::max(last, *used);
    if (const auto operation = tx.operations().latest_of(row.id))
        last = std::max(last, operation->finished_at.value_or(operation->created_at));
    return last;
}

std::string days_text(std::chrono::days days) {
    return std::to_string(days.count()) + (days.count() == 1 ? " day" : " days");
}

}  // namespace

Task<std::vector<CleaningItem>> CleaningDuties::volumes(bool dry_run) {
    std::vector<CleaningItem> items;
    const auto add = [&](const model::Tombstone& tombstone, CleaningOutcome outcome, std::string why) {
        items.push_back({.kind = "volume",
                         .name = tombstone.volume_name,
                         .outcome = outcome,
                         .why = std::move(why),
                         .since = tombstone.purge_after});
    };
    const auto paused = co_await volumes_.purge_paused_because();
    if (dry_run || paused) {
        for (const auto& each : co_await volumes_.overdue()) {
            if (paused) {
                add(each, CleaningOutcome::kKept, paused_text(*paused));
            } else {
                add(each, CleaningOutcome::kWould, "Its time in the trash is over.");
            }
        }
        co_return items;
    }
    const auto cleaned = co_await volumes_.clean_up();
    for (const auto& each : cleaned.removed)
        add(each, CleaningOutcome::kDone, "Its time in the trash was over.");
    for (const auto& each : cleaned.kept)
        add(each.tombstone, CleaningOutcome::kFailed, each.why);
    co_return items;
}

Task<CleaningItem> CleaningDuties::remove(std::string instance, CleaningItem item, Judge judge) {
    try {
        // What was so a moment ago may be otherwise: somebody starts it, or brings it back from the trash.
        const auto still = co_await store_.read([judge](Transaction& tx) { return judge(tx); });
        if (!still || still->outcome != CleaningOutcome::kWould) {
            item.outcome = CleaningOutcome::kKept;
            item.why = "It is needed again.";
            co_return item;
        }
        co_await runtime_.remove_instance(std::move(instance));
        item.outcome = CleaningOutcome::kDone;
        log::info("a container is removed", {{"container", item.name}, {"reason", item.why}});
    } catch (const Error& error) {
        item.outcome = CleaningOutcome::kFailed;
        item.why = error.message();
        log::warning("a container stays", {{"container", item.name}, {"reason", error.what()}});
    }
    co_return item;
}

Task<std::vector<CleaningItem>> CleaningDuties::containers(bool dry_run) {
    std::vector<CleaningItem> items;
    const auto paused = co_await volumes_.purge_paused_because();
    // The engine first: what is made meanwhile is in the database by the time that is read.
    for (const auto& instance : co_await runtime_.instances()) {
        const Judge judge = [instance](Transaction& tx) { return judge_orphan(tx, instance); };
        auto item = co_await store_.read([judge](Transaction& tx) { return judge(tx); });
        if (!item) continue;
        if (item->outcome == CleaningOutcome::kWould && instance.adopted) {
            item->outcome = CleaningOutcome::kKept;
            item->why = "It was taken over from an earlier installation, and may hold files of its own.";
        }
        if (item->outcome == CleaningOutcome::kWould && paused) {
            item->outcome = CleaningOutcome::kKept;
            item->why = paused_text(*paused);
        }
        if (item->outcome == CleaningOutcome::kWould && !dry_run)
            item = co_await remove(instance.id, std::move(*item), judge);
        items.push_back(std::move(*item));
    }
    co_await helpers(dry_run, items);
    co_return items;
}

// Nothing lies in them but what they mount, which stays.
Task<> CleaningDuties::helpers(bool dry_run, std::vector<CleaningItem>& items) {
    const auto age = store_.server_name() ? kLongestTransfer : std::chrono::hours(0);
    const auto found = co_await files_.leftovers(age);
    if (found.empty()) co_return;
    std::set<std::string> left;
    if (!dry_run) {
        co_await files_.remove_leftovers(age);
        for (const auto& each : co_await files_.leftovers(age))
            left.insert(each.name);
    }
    for (const auto& each : found) {
        const bool stays = left.contains(each.name);
        items.push_back({.kind = "helper",
                         .name = each.name,
                         .outcome = dry_run ? CleaningOutcome::kWould
                                    : stays ? CleaningOutcome::kFailed
                                            : CleaningOutcome::kDone,
                         .why = stays ? "The container engine did not remove it; its log tells why."
                                      : "A server that has ended used it to read or write files.",
                         .since = each.made_at});
    }
}

Task<std::vector<CleaningItem>> CleaningDuties::failed_starts(bool dry_run) {
    std::vector<CleaningItem> items;
    const auto paused = co_await volumes_.purge_paused_because();
    const base::Time latest = clock_.now() - settings_.failed_after;
    for (const auto& instance : co_await runtime_.instances()) {
        const Judge judge = [instance, latest](Transaction& tx) {
            return judge_failed(tx, instance, latest);
        };
        auto item = co_await store_.read([judge](Transaction& tx) { return judge(tx); });
        if (!item) continue;
        if (paused) {
            item->outcome = CleaningOutcome::kKept;
            item->why = paused_text(*paused);
        } else if (!dry_run) {
            item = co_await remove(instance.id, std::move(*item), judge);
        }
        items.push_back(std::move(*item));
    }
    co_return items;
}

Task<std::vector<CleaningItem>> CleaningDuties::inactive(bool dry_run) {
    std::vector<CleaningItem> items;
    if (settings_.inactive_after.count() == 0) co_return items;
    const auto now = clock_.now();
    const auto why = "Nobody has used it for " + days_text(settings_.inactive_after) + ".";
    const auto is_due = [now, after = settings_.inactive_after](Transaction& tx, const Workspace& row) {
        return may_be_inactive(row) && now - last_use(tx, row) >= after;
    };
    const auto due = co_await store_.read([is_due](Transaction& tx) {
        std::vector<std::pair<Workspace, base::Time>> found;
        for (auto& row : tx.workspaces().all()) {
            if (!is_due(tx, row)) continue;
            const auto last = last_use(tx, row);
            found.emplace_back(std::move(row), last);
        }
        return found;
    });
    for (const auto& [workspace, last] : due) {
        CleaningItem item{.kind = "workspace",
                          .name = workspace.name + " (" + workspace.id.str() + ")",
                          .why = why,
                          .since = last};
        if (!dry_run) {
            const auto marked = co_await store_.write([id = workspace.id, is_due, why,
                                                       now](Transaction& tx) -> std::optional<Workspace> {
                auto row = tx.workspaces().find(id);
                if (!row || !is_due(tx, *row)) return std::nullopt;
                row->status = WorkspaceStatus::kInactive;
                row->updated_at = now;
                tx.workspaces().update(*row);
                auto event = model::make_life_event(
                    id, model::LifeEventKind::kSettingsChanged, now, model::Actor{},
                    why +
                        " It is marked as inactive; nothing else changed, and it can be started as before.");
                event.details["status"] = model::to_text(row->status);
                tx.life_events().insert(event);
                return row;
            });
            if (marked) co_await routes_.upsert(*marked);
            item.outcome = marked ? CleaningOutcome::kDone : CleaningOutcome::kKept;
            if (!marked) item.why = "It is in use again.";
        }
        items.push_back(std::move(item));
    }
    co_return items;
}

}  // namespace agentdb9::services
