// When a workspace is started and stopped by the clock: on which days, at which hours, of which time zone.
// Pure, but for the time zones, which are the system's (zoneinfo), read once. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"

namespace agentdb9::model {

struct ScheduleRule {
    unsigned days = 0;  // a bit each, Monday's the lowest
    // Of these days; one that stops after midnight is a rule of the next day's.
    std::optional<std::chrono::minutes> start;
    std::optional<std::chrono::minutes> stop;
    friend bool operator==(const ScheduleRule&, const ScheduleRule&) = default;
};

struct Schedule {
    std::string zone;  // "Europe/Berlin"
    std::vector<ScheduleRule> rules;
    friend bool operator==(const Schedule&, const Schedule&) = default;
};

struct ScheduledChange {
    bool start = false;  // else it is stopped
    base::Time at;
    friend bool operator==(const ScheduledChange&, const ScheduledChange&) = default;
};

// {"zone": "Europe/Berlin", "rules": [{"days": ["mon", "tue"], "start": "08:00", "stop": "18:30"}]}. Absent
// when something is wrong with it; `problem` says what.
std::optional<Schedule> read_schedule(const json::object& text, std::string& problem);
json::object to_json(const Schedule& schedule);

// The last change in (after, until]; of two at one moment the start. A local time that does not exist, for
// the clocks go forward over it, is when they do; of one that comes twice the first counts. A zone that is
// not known any more has no changes.
std::optional<ScheduledChange> last_change(const Schedule& schedule, base::Time after, base::Time until);
// The next start, or stop, after `after`.
std::optional<base::Time> next_change(const Schedule& schedule, base::Time after, bool start);

}  // namespace agentdb9::model
