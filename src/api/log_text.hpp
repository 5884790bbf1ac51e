// Lines of logs and samples of use as clients read them, and the moments that they name. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "runtime/monitoring.hpp"

namespace agentdb9::api {

// "2026-11-29T12:38:04.557846721Z": RFC 3339 with the nanoseconds that tell lines apart.
std::string nanosecond_time(std::int64_t ns);

// What `since` may be: RFC 3339; seconds since 1970, with decimals or without; or how long ago, "90s", "10m",
// "2h", "7d". In nanoseconds since 1970; absent for anything else, and beyond the years 1970 to 2200.
std::optional<std::int64_t> parse_since(std::string_view text, base::Time now);

// {"time","stream","line","truncated"?}
json::object to_json(const runtime::OutputLine& line, bool with_time = true);
// "TIME line\n", or the line alone.
void append_text(std::string& out, const runtime::OutputLine& line, bool with_time);

json::object to_json(const runtime::Usage& usage);

}  // namespace agentdb9::api
