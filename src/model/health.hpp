// What the server may do by itself about an application that has stopped answering, or that ends again and
// again: rules alone, of what is recorded of the workspace. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "base/time.hpp"

namespace agentdb9::model {

// What the image's own check (HEALTHCHECK) says of an instance, by the runtime.
enum class InstanceHealth { kNone, kStarting, kHealthy, kUnhealthy };

struct RestartRules {
    int most = 5;  // in a row; then it is given up
    std::chrono::seconds first_pause{10};
    std::chrono::seconds longest_pause{300};  // doubled each time until then
    // One that was left alone for so long after a restart was healthy meanwhile: a row ends.
    std::chrono::minutes healthy_while{10};
};
// Within any `healthy_while` no workspace is restarted more often than `most` times, and a pause never ends a
// row.

struct Restarts {
    int in_a_row = 0;
    std::optional<base::Time> last;
    friend bool operator==(const Restarts&, const Restarts&) = default;
};

struct RestartDecision {
    enum class Kind { kRestart, kWait, kGiveUp };
    Kind kind = Kind::kRestart;
    base::Duration wait{0};  // of kWait
    friend bool operator==(const RestartDecision&, const RestartDecision&) = default;
};

// The application is unhealthy now. A clock that was put back makes no pause longer than it was.
RestartDecision decide_restart(const Restarts& restarts, base::Time now, const RestartRules& rules);
// `restarts` once it is restarted at `now`.
Restarts after_restart(const Restarts& restarts, base::Time now, const RestartRules& rules);

struct CrashRules {
    int most = 5;  // within `window`; then it is given up
    std::chrono::minutes window{10};
};

// How often it ended by itself within the window; the times may come in any order, and lie ahead where a
// clock was put back.
int recent_crashes(std::span<const base::Time> crashes, base::Time now, const CrashRules& rules);

// "ended with exit code 1", "was ended for want of memory (exit code 137)".
std::string describe_exit(std::optional<int> exit_code, bool out_of_memory);

}  // namespace agentdb9::model
