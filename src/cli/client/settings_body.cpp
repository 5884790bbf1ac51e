#include "cli/client/settings_body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/error.hpp"
#include "cli/client/text.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr auto kForm =
    " is no rule: write days and hours, like 'mon-fri 08:00-18:30'; 'daily -22:00' only stops it, 'sat,sun "
    "10:00-' only starts it.";

Error invalid(const std::string& sentence) {
    return Error(ErrorCode::kInvalid, "invalid_option", sentence);
}

std::optional<std::size_t> day_of(std::string_view text) {
    const auto found = std::ranges::find(kDays, text);
    if (found == kDays.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kDays.begin());
}

// "daily", "mon-fri", "fri-mon", "mon,wed,sat-sun"
std::optional<std::array<bool, 7>> read_days(std::string_view text) {
    std::array<bool, 7> days{};
    if (text == "daily") {
        days.fill(true);
        return days;
    }
    while (true) {
        const auto comma = text.find(',');
        const auto item = text.substr(0, comma);
        const auto dash = item.find('-');
        const auto first = day_of(item.substr(0, dash));
        const auto last = dash == item.npos ? first : day_of(item.substr(dash + 1));
        if (!first || !last) return std::nullopt;
        for (auto day = *first;; day = (day + 1) % days.size()) {
            days.at(day) = true;
            if (day == *last) break;
        }
        if (comma == text.npos) return days;
        text.remove_prefix(comma + 1);
    }
}

bool is_time(std::string_view text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    return text.size() == 5 && text[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4) &&
           text.substr(0, 2) < "24" && text.substr(3) < "60";
}

json::object read_rule(const std::string& text) {
    const auto bad = [&] { return invalid("'" + printable(text) + "'" + kForm); };
    const auto blank = text.find(' ');
    if (blank == text.npos) throw bad();
    const auto days = read_days(std::string_view(text).substr(0, blank));
    const auto hours =
        std::string_view(text).substr(std::min(text.find_first_not_of(' ', blank), text.size()));
    const auto dash = hours.find('-');
    if (!days || dash == hours.npos) throw bad();
    const auto start = hours.substr(0, dash);
    const auto stop = hours.substr(dash + 1);
    if ((start.empty() && stop.empty()) || (!start.empty() && !is_time(start)) ||
        (!stop.empty() && !is_time(stop)))
        throw bad();
    json::object rule;
    json::array names;
    for (std::size_t day = 0; day < kDays.size(); ++day)
        if (days->at(day)) names.emplace_back(kDays.at(day));
    rule["days"] = std::move(names);
    if (!start.empty()) rule["start"] = start;
    if (!stop.empty()) rule["stop"] = stop;
    return rule;
}

json::value idle_minutes(const std::string& text) {
    if (text == "never") return 0;
    if (text == "default") return nullptr;
    int minutes = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), minutes);
    if (ec != std::errc() || end != text.data() + text.size() || minutes <= 0)
        throw invalid("--idle-stop takes a number of minutes, 'never', or 'default': as its type says.");
    return minutes;
}

json::value schedule_of(const SettingOptions& options, const std::string& here, const json::value& present) {
    const bool none = std::ranges::find(options.schedule, "none") != options.schedule.end();
    if (none && (options.schedule.size() > 1 || options.zone))
        throw invalid("--schedule none takes the schedule away: give no other rule and no zone beside it.");
    if (none) return nullptr;
    json::object schedule;
    if (options.schedule.empty()) {
        if (!present.is_object())
            throw invalid("It has no schedule whose zone could be changed: give --schedule, too.");
        schedule = present.get_object();
    } else {
        json::array rules;
        for (const auto& each : options.schedule)
            rules.emplace_back(read_rule(each));
        schedule["rules"] = std::move(rules);
        schedule["zone"] = here;
    }
    if (options.zone) schedule["zone"] = *options.zone;
    return schedule;
}

}  // namespace

json::object settings_body(const SettingOptions& options, const std::string& here,
                           const json::value& present) {
    json::object body;
    if (options.idle_stop) body["idleStopMinutes"] = idle_minutes(*options.idle_stop);
    if (!options.schedule.empty() || options.zone) body["schedule"] = schedule_of(options, here, present);
    if (options.wake) body["wakeOnRequest"] = *options.wake == "on";
    return body;
}

std::vector<std::string> schedule_texts(const json::object& schedule) {
    std::vector<std::string> texts;
    const auto* rules = schedule.if_contains("rules");
    if (rules == nullptr || !rules->is_array()) return texts;
    for (const auto& each : rules->get_array()) {
        if (!each.is_object()) continue;
        const auto& rule = each.get_object();
        std::string days;
        std::size_t count = 0;
        const auto* names = rule.if_contains("days");
        if (names != nullptr && names->is_array()) {
            count = names->get_array().size();
            for (const auto& day : names->get_array())
                if (day.is_string())
                    days += (days.empty() ? "" : ",") + printable(std::string_view(day.get_string()));
        }
        if (count == kDays.size()) days = "daily";
        if (days == "mon,tue,wed,thu,fri") days = "mon-fri";
        texts.push_back(days + " " + printable(text_in(rule, "start")) + "-" +
                        printable(text_in(rule, "stop")));
    }
    return texts;
}

std::string time_zone_here() {
    constexpr std::string_view kFolder = "zoneinfo/";
    const auto* named = std::getenv("TZ");
    if (named != nullptr && *named != '\0' && *named != ':' && *named != '/') return named;
    std::error_code ec;
    const auto place = std::filesystem::read_symlink("/etc/localtime", ec).string();
    const auto at = place.find(kFolder);
    return ec || at == place.npos ? "UTC" : place.substr(at + kFolder.size());
}

}  // namespace agentdb9::cli::client
