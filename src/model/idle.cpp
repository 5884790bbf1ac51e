#include "model/idle.hpp"

#include <algorithm>

namespace agentdb9::model {

std::string check_idle_minutes(int minutes, const IdleBounds& bounds) {
    const auto most = std::to_string(bounds.most_minutes);
    if (minutes == 0)
        return bounds.most_minutes == 0
                   ? ""
                   : "must be from 1 to " + most + ": the operator lets none stay on for ever";
    if (minutes < bounds.least_minutes)
        return "must be at least " + std::to_string(bounds.least_minutes) +
               (bounds.most_minutes == 0 ? ", or 0 for never" : "");
    if (bounds.most_minutes != 0 && minutes > bounds.most_minutes) return "must be at most " + most;
    return {};
}

std::chrono::seconds idle_time(std::optional<int> own_minutes, std::chrono::seconds of_type,
                               const IdleBounds& bounds) {
    if (!own_minutes) return of_type;
    const std::chrono::minutes most(bounds.most_minutes);
    const std::chrono::minutes own(*own_minutes);
    if (most.count() == 0)
        return own.count() == 0 ? own : std::max(own, std::chrono::minutes(bounds.least_minutes));
    return own.count() == 0 ? most
                            : std::min(std::max(own, std::chrono::minutes(bounds.least_minutes)), most);
}

IdleVerdict judge_idleness(const IdleState& state, base::Time now, const IdleRules& rules) {
    using Kind = IdleVerdict::Kind;
    if (rules.stop_after.count() == 0) return {};
    // A warning takes half of a short idle time at most.
    const auto warn_before = std::min(rules.warn_before, rules.stop_after / 2);
    const auto last = state.last_activity.value_or(now);
    auto stop_at = last + rules.stop_after + rules.lag;
    if (state.keep_alive_until) stop_at = std::max(stop_at, *state.keep_alive_until);
    // Of an earlier idleness.
    const bool warned = state.warned_at && *state.warned_at >= last;
    if (now < stop_at - warn_before) return {Kind::kInUse, stop_at};
    if (!warned) return {Kind::kWarn, std::max<base::Time>(stop_at, now + warn_before)};
    stop_at = std::max<base::Time>(stop_at, *state.warned_at + warn_before);
    return {now < stop_at ? Kind::kWarned : Kind::kStop, stop_at};
}

std::optional<base::Time> latest(std::span<const ActivityMark> marks) {
    std::optional<base::Time> found;
    for (const auto& mark : marks)
        if (!found || mark.at > *found) found = mark.at;
    return found;
}

UseSeen compare_use(const UseCounters& before, const UseCounters& now, const UseThresholds& thresholds) {
    const auto passed = std::chrono::duration<double>(now.at - before.at).count();
    if (passed <= 0 || now.cpu_ns < before.cpu_ns || now.disk_bytes < before.disk_bytes) return {};
    const auto cpu_percent = static_cast<double>(now.cpu_ns - before.cpu_ns) / 1e7 / passed;
    const auto disk = static_cast<double>(now.disk_bytes - before.disk_bytes) / passed * 60;
    return {.processor = cpu_percent > thresholds.cpu_percent,
            .disk = disk > static_cast<double>(thresholds.disk_bytes_per_minute)};
}

}  // namespace agentdb9::model
