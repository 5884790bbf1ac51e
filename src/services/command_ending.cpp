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
// A container that a backup has paused hears nothing, and goes on: within Freeze's minute or, where its
// server has died, ten seconds later, when some reconciler looks.
constexpr std::chrono::seconds kLongestPause{80};
constexpr base::Duration kPauseLook{500};

using Force = runtime::Execution::Force;

enum class Heard { kPerhaps, kPaused, kGone };

Task<Heard> signal_once(base::Clock& clock, runtime::Execution& execution, Force force) {
    std::optional<base::Error> failure;
    try {
        co_await base::with_timeout(clock, kSignalLimit, execution.end(force));
    } catch (const base::Error& error) {
        failure = error;
    }
    if (!failure) co_return Heard::kPerhaps;
    log::debug("a command was not ended", {{"reason", failure->what()}});
    if (failure->word() == "instance_paused") co_return Heard::kPaused;
    const bool gone = failure->word() == "instance_not_found" || failure->word() == "instance_not_running";
    co_return gone ? Heard::kGone : Heard::kPerhaps;
}

// Ends one command: what all tries have in common.
class Ender {
  public:
    Ender(base::Clock& clock, runtime::Execution& execution, std::function<Task<>()> pump)
        : clock_(clock),
          execution_(execution),
          pump_(std::move(pump)),
          patient_until_(clock.steady_now() + kLongestPause) {}

    // Once it is not paused. False: its container is gone, and it with that.
    Task<bool> signal(Force force) {
        for (;;) {
            const auto heard = co_await signal_once(clock_, execution_, force);
            if (heard != Heard::kPaused || clock_.steady_now() >= patient_until_)
                co_return heard != Heard::kGone;
            co_await clock_.sleep_for(kPauseLook);
        }
    }

    // True when its output has ended.
    Task<bool> signal_and_wait(Force force, base::Duration grace) {
        if (!co_await signal(force)) co_return true;
        try {
            co_return co_await base::with_timeout(clock_, grace, pump_());
        } catch (const base::Error&) {
            // Whether it has ended is not known; killing once more does no harm.
        }
        co_await clock_.sleep_for(grace);
        co_return false;
    }

  private:
    base::Clock& clock_;
    runtime::Execution& execution_;
    std::function<Task<>()> pump_;
    base::SteadyTime patient_until_;
};

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
    Ender ender(clock, execution, std::move(pump));
    if (co_await ender.signal_and_wait(Force::kAsk, kGrace)) {
        if (leftovers == Leftovers::kKill) co_await ender.signal(Force::kKill);
        co_return true;
    }
    for (int tries = 0; tries < kills; ++tries)
        if (co_await ender.signal_and_wait(Force::kKill, kKillGrace)) co_return true;
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
