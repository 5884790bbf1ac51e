// Points in time as the product stores and shows them: UTC, milliseconds, RFC 3339.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace agentdb9::base {

using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// "2026-11-24T04:15:00.123Z" (RFC 3339, section 5.6), always with three decimals and Z.
std::string format_time(Time time);
// Accepts RFC 3339 with any number of decimals and an offset, and a space for the T. Absent when malformed.
std::optional<Time> parse_time(std::string_view text);

std::int64_t to_unix_ms(Time time);
Time from_unix_ms(std::int64_t ms);
std::int64_t to_unix_seconds(Time time);

}  // namespace agentdb9::base
