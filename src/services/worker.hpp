// What the reconciler remembers of one workspace between two looks at it. Nothing here is needed after a
// crash: all of it can be observed again. Control executor only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/entities.hpp"
#include "model/instance.hpp"
#include "runtime/runtime.hpp"

namespace agentdb9::services {

// The right to change the runtime for a workspace, as it was given (LeaseKeeper).
struct Lease {
    std::string holder;
    std::int64_t token = 0;
};

struct Crash {
    std::string instance;
    runtime::Death death;
    base::Time heard_at;
};

struct Worker {
    Worker(base::WorkspaceId workspace, const asio::any_io_executor& executor)
        : id(workspace), changed(executor), looked(executor) {}

    base::WorkspaceId id;
    bool active = false;                        // its loop runs
    bool dirty = false;                         // something happened since it last looked
    bool desire_changed = false;                // the user asked for something else since it last looked
    std::optional<base::SteadyTime> wished_at;  // since when that waits to be seen
    bool forced = false;                        // and will not wait for what is being asked politely
    base::Signal changed;                       // with any of them
    std::uint64_t looks_begun = 0;
    std::uint64_t looks_ended = 0;  // the number of the last one that found nothing more to do here
    base::Signal looked;            // with each of those

    // What it is doing now, for those who ask.
    std::optional<model::Phase> phase;
    std::string step;
    std::optional<int> percent;
    std::uint64_t ticket = 0;  // in the line of those who are to be started; 0: none

    std::set<std::string> ready;        // instances that have answered since they were started
    std::map<std::string, int> deaths;  // of instances, since they were started by us
    std::vector<model::Instance> last_seen;
    // Instances that did not answer any more, as often in a row as their type says.
    std::set<std::string> unhealthy;
    bool recovered = false;  // the one that serves answers again, which may not be recorded yet
    // Ends that nobody asked for, and that are not recorded yet.
    std::vector<Crash> crashes;
    // How the instance that serves answers (Reconciler::watch_health).
    struct Check {
        std::string instance;
        int failures = 0;  // in a row
        bool running = false;
        base::SteadyTime due{};
    };
    Check check;
    std::optional<base::SteadyTime> restart_at;  // when an unhealthy one may be restarted
    // What the runtime was last told of an instance's limits, and what came of it: it is not told again.
    struct LimitsTold {
        model::ResourceLimits wanted;
        std::optional<model::ResourceLimits> came;
        std::string problem;  // why they are not as wanted; empty where nothing went wrong
        std::optional<base::SteadyTime> again_at;  // when it is told again, where it refused
    };
    std::map<std::string, LimitsTold> limits_told;
    int failures = 0;  // in a row, since it was last as it should be
    int outages = 0;   // in a row: nothing is wrong with the workspace
    int timeouts = 0;  // in a row, of calls for it, while the runtime answered others

    std::optional<Lease> lease;  // absent: another server's, or there is no other server
    base::SteadyTime lease_until;
    base::SteadyTime gave_up{};  // when it last did not wait for a call to the engine
    // A stop that was not waited for: it may yet end what is started after it, once.
    std::optional<base::SteadyTime> stop_given_up;

    void wake() {
        dirty = true;
        changed.notify_all();
    }
};

}  // namespace agentdb9::services
