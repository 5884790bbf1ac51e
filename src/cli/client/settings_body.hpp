// A workspace's settings as `workspaces set` takes them, and as the API has them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace agentdb9::cli::client {

struct SettingOptions {
    std::optional<std::string> idle_stop;  // "60", "never", "default"
    std::vector<std::string> schedule;     // "mon-fri 08:00-18:30", or "none" alone
    std::optional<std::string> zone;       // absent: this machine's
    std::optional<std::string> wake;       // "on", "off"
    bool empty() const { return !idle_stop && schedule.empty() && !zone && !wake; }
};

// The body of PUT /api/workspaces/:id. `here`: this machine's time zone; `present`: the schedule that there
// is, whose zone alone may be changed. Throws kInvalid with a sentence.
json::object settings_body(const SettingOptions& options, const std::string& here,
                           const json::value& present);

// "mon-fri 08:00-18:30", a rule each, in the form in which they are taken; of the API's schedule.
std::vector<std::string> schedule_texts(const json::object& schedule);

// "Europe/Berlin"; "UTC" where the system does not say.
std::string time_zone_here();

}  // namespace agentdb9::cli::client
