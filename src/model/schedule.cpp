#include "model/schedule.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace agentdb9::model {
namespace {

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::size_t kMostRules = 20;
// Every rule comes round within it.
constexpr std::chrono::days kWeek{8};

const date::time_zone* find_zone(const std::string& name) {
    try {
        return date::locate_zone(name);
    } catch (const std::runtime_error&) {
        return nullptr;  // no such zone, or the system has none at all
    }
}

base::Time instant(const date::time_zone& zone, date::local_seconds local) {
    const auto info = zone.get_info(local);
    if (info.result == date::local_info::nonexistent) return info.first.end;
    return date::sys_seconds(local.time_since_epoch() - info.first.offset);
}

// All changes in (after, until], in their order.
std::vector<ScheduledChange> changes(const Schedule& schedule, base::Time after, base::Time until) {
    std::vector<ScheduledChange> found;
    const auto* zone = find_zone(schedule.zone);
    if (zone == nullptr) return found;
    const auto local_day = [&](base::Time time) {
        return std::chrono::floor<std::chrono::days>(
            zone->to_local(std::chrono::floor<std::chrono::seconds>(time)));
    };
    const auto last = local_day(until) + std::chrono::days(1);
    for (auto day = local_day(after) - std::chrono::days(1); day <= last; day += std::chrono::days(1)) {
        const auto bit = 1U << (date::weekday(day).iso_encoding() - 1);
        for (const auto& rule : schedule.rules) {
            if ((rule.days & bit) == 0) continue;
            for (const bool start : {false, true}) {
                const auto& minutes = start ? rule.start : rule.stop;
                if (!minutes) continue;
                const auto at = instant(*zone, day + *minutes);
                if (at > after && at <= until) found.push_back({start, at});
            }
        }
    }
    std::ranges::sort(found, {}, [](const ScheduledChange& each) { return std::pair(each.at, each.start); });
    return found;
}

std::optional<std::chrono::minutes> read_time(std::string_view text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 99; };
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const int hours = digit(0) * 10 + digit(1);
    const int minutes = digit(3) * 10 + digit(4);
    if (hours > 23 || minutes > 59) return std::nullopt;
    return std::chrono::minutes(hours * 60 + minutes);
}

std::string time_text(std::chrono::minutes time) {
    const auto two = [](std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
    return two(time.count() / 60) + ":" + two(time.count() % 60);
}

std::string read_rule(const json::value& value, ScheduleRule& rule) {
    if (!value.is_object()) return "rules must be objects with days, start and stop";
    for (const auto& [key, field] : value.get_object()) {
        if (key == "days") {
            if (!field.is_array()) return "days must be a list of mon, tue, wed, thu, fri, sat, sun";
            for (const auto& day : field.get_array()) {
                const auto known = day.is_string()
                                       ? std::ranges::find(kDays, std::string_view(day.get_string()))
                                       : kDays.end();
                if (known == kDays.end()) return "days must be a list of mon, tue, wed, thu, fri, sat, sun";
                rule.days |= 1U << (known - kDays.begin());
            }
        } else if (key == "start" || key == "stop") {
            if (field.is_null()) continue;
            const auto time = field.is_string() ? read_time(field.get_string()) : std::nullopt;
            if (!time) return std::string(key) + " must be a time like 08:30";
            (key == "start" ? rule.start : rule.stop) = time;
        } else {
            return "a rule has days, start and stop, and not " + std::string(key);
        }
    }
    if (rule.days == 0) return "a rule needs days";
    if (!rule.start && !rule.stop) return "a rule needs start, stop, or both";
    return {};
}

}  // namespace

std::optional<Schedule> read_schedule(const json::object& text, std::string& problem) {
    Schedule schedule;
    for (const auto& [key, value] : text) {
        if (key == "zone" && value.is_string()) {
            schedule.zone = std::string(value.get_string());
        } else if (key == "rules" && value.is_array()) {
            if (value.get_array().size() > kMostRules) {
                problem = "may have " + std::to_string(kMostRules) + " rules at most";
                return std::nullopt;
            }
            for (const auto& each : value.get_array()) {
                problem = read_rule(each, schedule.rules.emplace_back());
                if (!problem.empty()) return std::nullopt;
            }
        } else {
            problem = "must have a zone (a text) and rules (a list), and nothing else";
            return std::nullopt;
        }
    }
    if (schedule.rules.empty()) {
        problem = "needs rules";
    } else if (find_zone(schedule.zone) == nullptr) {
        problem = "needs a zone that is known here, like Europe/Berlin or UTC";
    }
    if (!problem.empty()) return std::nullopt;
    return schedule;
}

json::object to_json(const Schedule& schedule) {
    json::array rules;
    for (const auto& rule : schedule.rules) {
        json::array days;
        for (std::size_t i = 0; i < kDays.size(); ++i)
            if ((rule.days & 1U << i) != 0) days.emplace_back(kDays[i]);
        rules.push_back({{"days", std::move(days)},
                         {"start", rule.start ? json::value(time_text(*rule.start)) : json::value(nullptr)},
                         {"stop", rule.stop ? json::value(time_text(*rule.stop)) : json::value(nullptr)}});
    }
    return {{"zone", schedule.zone}, {"rules", std::move(rules)}};
}

std::optional<ScheduledChange> last_change(const Schedule& schedule, base::Time after, base::Time until) {
    if (until <= after) return std::nullopt;
    const auto all = changes(schedule, std::max<base::Time>(after, until - kWeek), until);
    if (all.empty()) return std::nullopt;
    return all.back();
}

std::optional<base::Time> next_change(const Schedule& schedule, base::Time after, bool start) {
    for (const auto& change : changes(schedule, after, after + kWeek))
        if (change.start == start) return change.at;
    return std::nullopt;
}

}  // namespace agentdb9::model
