#include "services/contradictions.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace agentdb9::services {

using model::DesiredState;
using model::Phase;
using model::Project;
using model::Workspace;
using model::WorkspaceStatus;

namespace {

class Examination {
  public:
    Examination(const Rows& rows, model::Time now) : rows_(rows), now_(now) {
        for (const auto& each : rows.users)
            users_.insert(each.id);
        for (const auto& each : rows.projects)
            projects_.emplace(each.id, &each);
        for (const auto& each : rows.workspaces)
            workspaces_.emplace(each.id, &each);
        for (const auto& each : rows.workspaces) {
            if (each.desired_state == DesiredState::kRunning && each.current_project_id)
                keep_latest(holders_, *each.current_project_id, each);
            if (each.is_default) keep_latest(defaults_, each.user_id, each);
        }
    }

    std::vector<Contradiction> all() {
        for (const auto& each : rows_.workspaces)
            examine(each);
        for (const auto& each : rows_.projects)
            examine(each);
        for (const auto& each : rows_.trash)
            examine(each);
        return std::move(found_);
    }

  private:
    template <class Key>
    static void keep_latest(std::map<Key, const Workspace*>& map, const Key& key, const Workspace& row) {
        auto& slot = map[key];
        if (slot == nullptr || row.updated_at > slot->updated_at) slot = &row;
    }

    // Collects what is wrong with one row.
    struct Report {
        std::string what;
        std::string remedy;
        void add(const std::string& problem, const std::string& repair) {
            what += (what.empty() ? "" : " ") + problem;
            remedy += (remedy.empty() ? "" : " ") + repair;
        }
    };

    bool is_usable(const std::optional<base::ProjectId>& project, const Workspace& by) const {
        if (!project) return false;
        const auto row = projects_.find(*project);
        return row != projects_.end() && row->second->user_id == by.user_id;
    }

    void examine(const Workspace& is) {
        if (is.desired_state == DesiredState::kDeleted) return;  // it is on its way out
        const auto name = "The workspace '" + is.name + "' ";
        if (!users_.contains(is.user_id)) {
            found_.push_back({.subject = is.id.str(),
                              .what = name + "belongs to a user that does not exist.",
                              .remedy = "Add the user's row again, or give the workspace to another one.",
                              .workspace = {},
                              .project = {},
                              .tombstone = {}});
            return;
        }
        Report report;
        auto row = is;
        mend_replacement(row, name, report);
        mend_project(row, name, report);
        mend_generations(row, name, report);
        mend_state(row, name, report);
        if (row.is_default && defaults_.at(row.user_id)->id != row.id) {
            row.is_default = false;
            report.add(name + "is one of several defaults of its user.", "Only the latest one stays it.");
        }
        if (report.what.empty()) return;
        row.updated_at = now_;
        found_.push_back({.subject = is.id.str(),
                          .what = std::move(report.what),
                          .remedy = std::move(report.remedy),
                          .workspace = std::move(row),
                          .project = {},
                          .tombstone = {}});
    }

    void mend_replacement(Workspace& row, const std::string& name, Report& report) {
        const bool half = row.next_generation.has_value() != row.next_project_id.has_value();
        const bool pointless = row.next_generation && row.desired_state != DesiredState::kRunning;
        const bool unusable = row.next_project_id && !is_usable(row.next_project_id, row);
        if (!half && !pointless && !unusable) return;
        row.next_generation.reset();
        row.next_project_id.reset();
        report.add(name + "is to be replaced by something that cannot be.",
                   "The replacement is given up; it goes on as it is.");
    }

    void mend_project(Workspace& row, const std::string& name, Report& report) {
        if (row.current_project_id && !is_usable(row.current_project_id, row)) {
            row.current_project_id.reset();
            report.add(name + "has a current project that does not exist, or is another user's.",
                       "It has none from now on; a start makes one.");
        }
        if (row.desired_state != DesiredState::kRunning) return;
        if (!row.current_project_id) {
            stop(row, "The workspace had no project to run with.");
            report.add(name + "should be running, but has no project to run with.",
                       "It is stopped; start it again.");
        } else if (holders_.at(*row.current_project_id)->id != row.id) {
            stop(row, "Another workspace was running with the same project.");
            report.add(name + "should be running with a project with which another one runs.",
                       "It is stopped; the one that was started last goes on.");
        }
    }

    void mend_generations(Workspace& row, const std::string& name, Report& report) {
        const auto highest = std::max(row.generation, row.next_generation.value_or(0));
        if (row.last_generation < highest) {
            row.last_generation = highest;
            report.add(name + "remembers a lower generation than it has.", "It counts on from the highest.");
        }
        if (row.desired_state == DesiredState::kRunning && row.generation <= 0) {
            row.generation = ++row.last_generation;
            report.add(name + "should be running, but was given no generation.", "It gets one.");
        }
    }

    static void mend_state(Workspace& row, const std::string& name, Report& report) {
        const bool rests = row.desired_state == DesiredState::kStopped && row.phase == Phase::kStopped;
        if (!rests || row.status != WorkspaceStatus::kRunning) return;
        row.status = WorkspaceStatus::kStopped;
        report.add(name + "is shown as running, but rests.", "It is shown as stopped.");
    }

    static void stop(Workspace& row, const std::string& why) {
        row.desired_state = DesiredState::kStopped;
        row.next_generation.reset();
        row.next_project_id.reset();
        row.phase = Phase::kFailed;
        row.status = WorkspaceStatus::kError;
        row.last_error = why + " Start it again.";
    }

    void examine(const Project& is) {
        const auto name = "The project '" + is.name + "' ";
        auto& first = volumes_[is.volume_name.value_or("")];
        if (is.volume_name && first != nullptr) {
            found_.push_back(
                {.subject = is.id.str(),
                 .what = name + "has the same volume as '" + first->name + "', '" + *is.volume_name + "'.",
                 .remedy =
                     "Find out whose files it holds, and delete the other project's row by hand; do not "
                     "delete either in the meantime.",
                 .workspace = {},
                 .project = {},
                 .tombstone = {}});
            return;
        }
        first = &is;
        if (!users_.contains(is.user_id)) {
            found_.push_back({.subject = is.id.str(),
                              .what = name + "belongs to a user that does not exist.",
                              .remedy = "Add the user's row again, or give the project to another one.",
                              .workspace = {},
                              .project = {},
                              .tombstone = {}});
            return;
        }
        if (!is.workspace_id) return;
        const auto workspace = workspaces_.find(*is.workspace_id);
        if (workspace != workspaces_.end() && workspace->second->user_id == is.user_id) return;
        auto row = is;
        row.workspace_id.reset();
        row.workspace_type.reset();
        row.updated_at = now_;
        found_.push_back({.subject = is.id.str(),
                          .what = name + "is assigned to a workspace that does not exist.",
                          .remedy = "It is assigned to none from now on.",
                          .workspace = {},
                          .project = std::move(row),
                          .tombstone = {}});
    }

    // What somebody has may not lie in the trash at the same time: its time there would end with their files.
    void examine(const model::Tombstone& is) {
        const bool in_use =
            std::ranges::any_of(rows_.projects,
                                [&](const Project& each) { return each.volume_name == is.volume_name; }) ||
            std::ranges::any_of(rows_.workspaces,
                                [&](const Workspace& each) { return each.volume_name == is.volume_name; });
        if (!in_use) return;
        auto row = is;
        row.restored_at = now_;
        row.purging_since.reset();
        found_.push_back({.subject = is.id.str(),
                          .what = "The volume '" + is.volume_name + "' of '" + is.owner_name +
                                  "' is in use and lies in the trash.",
                          .remedy = "It is taken out of the trash.",
                          .workspace = {},
                          .project = {},
                          .tombstone = std::move(row)});
    }

    const Rows& rows_;
    model::Time now_;
    std::set<base::UserId> users_;
    std::map<base::ProjectId, const Project*> projects_;
    std::map<base::WorkspaceId, const Workspace*> workspaces_;
    std::map<base::ProjectId, const Workspace*> holders_;  // the last that was to run with it
    std::map<base::UserId, const Workspace*> defaults_;
    std::map<std::string, const Project*> volumes_;
    std::vector<Contradiction> found_;
};

}  // namespace

Rows read_rows(store::Transaction& tx) {
    return {.users = tx.users().all(),
            .projects = tx.projects().all(),
            .workspaces = tx.workspaces().all(),
            .trash = tx.tombstones().open(std::nullopt)};
}

std::vector<Contradiction> find_contradictions(const Rows& rows, model::Time now) {
    return Examination(rows, now).all();
}

}  // namespace agentdb9::services
