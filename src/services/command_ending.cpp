#include "services/command_ending.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {
namespace {

// After being asked to end, and after being killed.
constexpr base::Duration kGrace{2000};
constexpr base::Duration kKillGrace{5000};
constexpr std::chrono::seconds kSignalLimit{10};
constexpr int kKills = 3;
constexpr int kKillsOfLost = 12;

using Force = runtime::Execution::Force;

// False: its container is gone, and it with that.
Task<bool> signal(base::Clock& clock, runtime::Execution& execution, Force force) {
    std::optional<base::Error> failure;
    try {
        co_await base::with_timeout(clock, kSignalLimit, execution.end(force));
    } catch (const base::Error& error) {
        failure = error;
    }
    if (!failure) co_return true;
    log::debug("a command was not ended", {{"reason", failure->what()}});
    co_return failure->word() != "instance_not_found" && failure->word() != "instance_not_running";
}

// True when its output has ended.
Task<bool> signal_and_wait(base::Clock& clock, runtime::Execution& execution,
                           const std::function<Task<>()>& pump, Force force, base::Duration grace) {
    if (!co_await signal(clock, execution, force)) co_return true;
    try {
        co_return co_await base::with_timeout(clock, grace, pump());
    } catch (const base::Error&) {
        // Whether it has ended is not known; killing once more does no harm.
    }
    co_await clock.sleep_for(grace);
    co_return false;
}

}  // namespace

std::string_view to_text(CommandEnding ending) {
    switch (ending) {
        case CommandEnding::kItself:
            return "itself";
        case CommandEnding::kTimeLimit:
            return "time_limit";
        case CommandEnding::kReaderGone:
            return "client_gone";
        case CommandEnding::kWorkspaceStopped:
            return "workspace_stopped";
        case CommandEnding::kSignedOut:
            return "signed_out";
        case CommandEnding::kShuttingDown:
            return "shutting_down";
        case CommandEnding::kEngineLost:
            return "engine_lost";
        case CommandEnding::kAsked:
            return "request";
    }
    return "";
}

namespace {

// Asked first, so that it can put its things in order.
Task<bool> end_it(base::Clock& clock, runtime::Execution& execution, std::function<Task<>()> pump,
                  Leftovers leftovers, int kills) {
    if (co_await signal_and_wait(clock, execution, pump, Force::kAsk, kGrace)) {
        if (leftovers == Leftovers::kKill) co_await signal(clock, execution, Force::kKill);
        co_return true;
    }
    for (int tries = 0; tries < kills; ++tries)
        if (co_await signal_and_wait(clock, execution, pump, Force::kKill, kKillGrace)) co_return true;
    co_return false;
}

// Throws while it goes on, or that is not known.
Task<> until_exit(runtime::Execution& execution) {
    co_await execution.exit_code();
}

}  // namespace

Task<bool> make_it_end(base::Clock& clock, runtime::Execution& execution, std::function<Task<>()> pump,
                       Leftovers leftovers) {
    return end_it(clock, execution, std::move(pump), leftovers, kKills);
}

Task<bool> make_lost_one_end(base::Clock& clock, runtime::Execution& execution, Leftovers leftovers) {
    return end_it(clock, execution, [&execution] { return until_exit(execution); }, leftovers, kKillsOfLost);
}

}  // namespace agentdb9::services
