// The heart: what to do next so that the runtime becomes what the user asked for. A pure function of what is
// desired and what is observed; it holds no state, knows no engine, and never removes a volume. The
// reconciler carries its actions out in order, observes again, and plans again until nothing is left to do;
// so every action must be safe to repeat, and a crash between any two of them is just another observation.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "model/instance.hpp"

namespace agentdb9::model {

// What an instance is wanted to be.
struct Target {
    std::int64_t generation = 0;
    std::string spec;                  // spec_hash
    std::vector<std::string> volumes;  // all that it mounts; two instances never run on the same one
    ResourceLimits limits;             // that it is to have
    friend bool operator==(const Target&, const Target&) = default;
};

struct Desired {
    enum class State { kStopped, kRunning, kDeleted };
    State state = State::kStopped;
    std::string plain_name;         // what the serving instance is called
    std::optional<Target> current;  // what serves, or would; present when running is desired
    std::optional<Target> next;     // the replacement that should take over (restart, switch)
    // The replacement may run beside what it replaces. False for types with a home, and whenever the two
    // share a volume.
    bool may_overlap = false;
    // The highest generation that was ever given out, as far as the database knows. An instance above it was
    // made when the database was a newer one: it is stopped and renamed where it is in the way, and removed
    // only with its workspace.
    std::int64_t last_generation = std::numeric_limits<std::int64_t>::max();
};

struct ObservedInstance {
    Instance instance;
    bool ready = false;    // the server's probe has succeeded since it was started
    bool serving = false;  // the published route leads to it
    bool restart = false;  // it is unhealthy, and is to be started anew now
    // The runtime was told of the wanted limits, and those that it has came of that.
    bool limits_told = false;
};

struct Observed {
    std::vector<ObservedInstance> instances;  // of this workspace only
    bool routed = false;                      // requests reach, or wait for, one of them
};

enum class ActionKind {
    kEnsureVolumes,    // of `generation`
    kCreate,           // an instance of `generation`, under its plain name when `plain`, else its -g name
    kStart,            // `instance`, created or exited
    kResume,           // `instance`, paused
    kProbe,            // wait until `instance` answers
    kHoldRoute,        // let requests wait; those in flight finish; sockets are closed
    kDropRoute,        // refuse requests; sockets are closed
    kStop,             // `instance`
    kRename,           // `instance` to its plain name when `plain`, else its -g name
    kCommitNext,       // the replacement becomes current, in the store
    kPublishRoute,     // to `instance`
    kUpdateLimits,     // of `instance`, as it is: it goes on running
    kRemove,           // `instance`, whatever its state
    kDrainAndRemove,   // `instance`, which may still be answering requests
    kComplete,         // the operation, as succeeded: what the caller waits for is reached
    kForgetWorkspace,  // nothing is left in the runtime: the store's row may go
};

struct Action {
    ActionKind kind;
    std::string instance;         // the runtime's id; empty for the one that kCreate just made
    std::int64_t generation = 0;  // which target the action is about
    bool plain = false;
    friend bool operator==(const Action&, const Action&) = default;
};

// `desired.current` must be present when running is desired.
std::vector<Action> plan(const Desired& desired, const Observed& observed);

// True when the plan has nothing to do but to say so.
bool is_settled(const std::vector<Action>& actions);

std::string_view to_text(ActionKind kind);

}  // namespace agentdb9::model
