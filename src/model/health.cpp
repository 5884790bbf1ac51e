#include "model/health.hpp"

#include <algorithm>

namespace agentdb9::model {
namespace {

int in_a_row(const Restarts& restarts, base::Time now, const RestartRules& rules) {
    if (!restarts.last || now - *restarts.last > rules.healthy_while) return 0;
    return restarts.in_a_row;
}

}  // namespace

RestartDecision decide_restart(const Restarts& restarts, base::Time now, const RestartRules& rules) {
    const int made = in_a_row(restarts, now, rules);
    if (made == 0) return {};
    std::chrono::seconds pause = rules.first_pause;
    for (int i = 1; i < made && pause < rules.longest_pause; ++i)
        pause *= 2;
    pause = std::min(pause, rules.longest_pause);
    const auto since =
        std::max(base::Duration(0), std::chrono::duration_cast<base::Duration>(now - *restarts.last));
    if (since < pause)
        return {.kind = RestartDecision::Kind::kWait,
                .wait = std::chrono::duration_cast<base::Duration>(pause) - since};
    // The last one, too, had its pause in which it could have helped.
    if (made >= rules.most) return {.kind = RestartDecision::Kind::kGiveUp};
    return {};
}

Restarts after_restart(const Restarts& restarts, base::Time now, const RestartRules& rules) {
    return {.in_a_row = in_a_row(restarts, now, rules) + 1, .last = now};
}

int recent_crashes(std::span<const base::Time> crashes, base::Time now, const CrashRules& rules) {
    return static_cast<int>(
        std::ranges::count_if(crashes, [&](base::Time at) { return now - at < rules.window; }));
}

std::string describe_exit(std::optional<int> exit_code, bool out_of_memory) {
    const auto code =
        exit_code ? "exit code " + std::to_string(*exit_code) : std::string("an unknown exit code");
    if (out_of_memory) return "was ended for want of memory (" + code + ")";
    return "ended with " + code;
}

}  // namespace agentdb9::model
