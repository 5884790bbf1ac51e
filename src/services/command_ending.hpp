// Ending what runs in a container. Control executor.
#pragma once

#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "runtime/execution.hpp"

namespace agentdb9::services {

// Why a command did not end by itself.
enum class CommandEnding {
    kItself,
    kTimeLimit,
    kReaderGone,
    kWorkspaceStopped,  // or restarted, or switched to another project
    kSignedOut,
    kShuttingDown,
    kEngineLost,  // nobody knows
    kAsked,       // somebody ended it by a call
};
std::string_view to_text(CommandEnding ending);  // "time_limit"

// What it started and does not end when it is asked to.
enum class Leftovers {
    kKill,
    kLeave,  // as terminals leave what ignores their hang-up (nohup)
};

// Asks it to end and, where it does not soon, kills it. `pump` takes its output and returns once that has
// ended, as it does with it; it is called again where it was cancelled. Where its container is paused, waits
// until it is not. False: it could not be ended.
Task<bool> make_it_end(base::Clock& clock, runtime::Execution& execution, std::function<Task<>()> pump,
                       Leftovers leftovers);
// The same where its output broke off, with the engine perhaps: for a minute.
Task<bool> make_lost_one_end(base::Clock& clock, runtime::Execution& execution, Leftovers leftovers);

}  // namespace agentdb9::services
