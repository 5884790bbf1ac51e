// What those who follow a workspace's log are told, and how its lines are told apart. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "model/instance.hpp"
#include "runtime/monitoring.hpp"

namespace agentdb9::services {

// A line of one instance, the same however often it is read: when it was printed, and what.
struct LineId {
    std::int64_t at_ns = 0;
    std::uint32_t tag = 0;  // of the text and the stream
    std::string instance;   // the first characters of its id
    friend bool operator==(const LineId&, const LineId&) = default;
};
inline constexpr std::size_t kShortId = 12;

LineId id_of(const runtime::OutputLine& line, std::string short_id);
// "1764419884.557846721-9f01c3d2@4d5834364bda"
std::string to_text(const LineId& id);
std::optional<LineId> line_id_from(std::string_view text);

struct LogLine {
    LineId id;
    runtime::OutputLine line;
};
// From here on it is this instance's log, or this one is in another state now. Absent: there is none.
struct InstanceSeen {
    std::optional<model::Instance> instance;
};
// Lines that are not told: how many, where that is known.
struct LeftOut {
    std::optional<std::uint64_t> lines;
};
// Why nothing comes for the moment; it goes on by itself.
struct Interrupted {
    std::string code;
    std::string message;
};
// The workspace is gone: nothing more comes.
struct Deleted {};

using LogEvent = std::variant<LogLine, InstanceSeen, LeftOut, Interrupted, Deleted>;

}  // namespace agentdb9::services
