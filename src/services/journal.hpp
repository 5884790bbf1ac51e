// The transactions in which the reconciler records what it reached. Each looks at the row again first, and at
// the lease: when the user has asked for something else meanwhile, or another server has taken over, nothing
// is written and the answer is empty. Control executor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "model/entities.hpp"
#include "model/instance.hpp"
#include "services/worker.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

// What the store says of one workspace, read in one transaction.
struct Job {
    model::Workspace workspace;
    std::optional<model::Project> project;       // its current one
    std::optional<model::Project> next_project;  // of a replacement on its way
    std::optional<model::Operation> operation;   // the open one
    std::optional<Lease> lease;  // under which the work is done; absent: no other server is there
};

// How often it has ended by itself lately, and how the last time.
struct CrashRecord {
    int recent = 0;
    runtime::Death last;
};

class Journal {
  public:
    Journal(store::Store& store, base::Clock& clock, std::chrono::days trash_time)
        : store_(store), clock_(clock), trash_time_(trash_time) {}

    // Absent when there is no such workspace.
    Task<std::optional<Job>> load(base::WorkspaceId workspace);

    // The open operation has been taken up.
    Task<> begin(Job job);
    // The server itself has to bring a workspace back: there is an operation for that too.
    Task<std::optional<Job>> begin_recovery(Job job);
    // Ends that nobody asked for: each is told once, however many servers heard of it. Those of instances
    // that were asked to end are left out.
    Task<std::optional<CrashRecord>> record_crashes(Job job, std::vector<Crash> crashes,
                                                    model::CrashRules rules);
    // The application does not answer any more, for this reason; without one it does again.
    Task<std::optional<Job>> tell_health(Job job, std::optional<std::string> illness);
    // The server is about to restart it: there is an operation for that, and the restart is counted.
    Task<std::optional<Job>> begin_restart(Job job, std::string why, model::RestartRules rules);
    // The instance that serves is about to be stopped: every server lets requests wait from now on.
    Task<std::optional<Job>> hold(Job job);
    // The replacement is now what serves.
    Task<std::optional<Job>> commit_next(Job job);
    // Whether the row says already what complete() would write.
    static bool is_complete(const Job& job);
    // What was asked for is reached. Returns the operation that ended with it.
    Task<std::optional<model::Operation>> complete(Job job);
    // It cannot be reached. A replacement is given up and the workspace goes on as it was; a start leaves it
    // stopped and in error; a stop or delete stays wanted. Returns the operation that failed with it.
    Task<std::optional<model::Operation>> fail(Job job, base::Error error, bool give_up);
    // The workspace is gone from the runtime: its row goes, its home into the trash.
    Task<std::optional<model::Operation>> forget(Job job);

    // A backup keeps the project's instances paused just now.
    Task<bool> is_frozen(base::ProjectId project);

    // The volumes on which the workspace is about to be started are its own for as long as its lease lasts.
    // False: another server starts another workspace on one of them, or has taken this one over.
    Task<bool> claim_volumes(Job job, std::vector<model::Mount> mounts);
    Task<> record_project_volume(base::ProjectId project, std::string name, std::string path);
    Task<> record_home_volume(base::WorkspaceId workspace, std::string name);
    // Its container has no more memory than its limit is: a quota counts that from now on.
    Task<> release_memory(Job job);

  private:
    store::Store& store_;
    base::Clock& clock_;
    std::chrono::days trash_time_;
};

}  // namespace agentdb9::services
