// When a workspace that nobody uses is stopped: rules alone, of what is known of its use. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "base/time.hpp"

namespace agentdb9::model {

// What may keep a workspace on, by the names that clients read. Others come from who registers them.
inline constexpr std::string_view kStartActivity = "start";
inline constexpr std::string_view kRequestActivity = "requests";
inline constexpr std::string_view kSocketActivity = "sockets";
inline constexpr std::string_view kProcessorActivity = "processor";
inline constexpr std::string_view kDiskActivity = "disk";

// When something of a kind last happened in the workspace, as far as anybody noted it.
struct ActivityMark {
    std::string source;
    base::Time at;
    friend bool operator==(const ActivityMark&, const ActivityMark&) = default;
};

// What an operator allows a workspace's own setting to be.
struct IdleBounds {
    int least_minutes = 5;
    int most_minutes = 0;  // 0: as long as they like, and never, too
};
// A sentence's rest, for the field; empty: it may be so.
std::string check_idle_minutes(int minutes, const IdleBounds& bounds);
// The workspace's own, else its type's; zero: never. Within the bounds, which may be others by now.
std::chrono::seconds idle_time(std::optional<int> own_minutes, std::chrono::seconds of_type,
                               const IdleBounds& bounds);

struct IdleRules {
    std::chrono::seconds stop_after{0};  // zero: never
    std::chrono::seconds warn_before{300};
    // By how much what other servers noted may be late.
    std::chrono::seconds lag{0};
};

struct IdleState {
    std::optional<base::Time> last_activity;
    std::optional<base::Time> keep_alive_until;
    std::optional<base::Time> warned_at;
};

struct IdleVerdict {
    enum class Kind {
        kStaysOn,  // it has no idle time
        kInUse,    // or was, a moment ago
        kWarn,     // it is to be told that it will be stopped
        kWarned,   // it was, and somebody may still come
        kStop,
    };
    Kind kind = Kind::kStaysOn;
    std::optional<base::Time> stop_at;  // unless something happens until then
    friend bool operator==(const IdleVerdict&, const IdleVerdict&) = default;
};

// Nothing is stopped that was not warned of as long before as the rules say.
IdleVerdict judge_idleness(const IdleState& state, base::Time now, const IdleRules& rules);

std::optional<base::Time> latest(std::span<const ActivityMark> marks);

// What a container used at a moment; counted since its start.
struct UseCounters {
    base::Time at;
    std::uint64_t cpu_ns = 0;
    std::uint64_t disk_bytes = 0;
};
struct UseThresholds {
    double cpu_percent = 5;  // of one processor
    std::uint64_t disk_bytes_per_minute = std::uint64_t{1} << 20;
};
struct UseSeen {
    bool processor = false;
    bool disk = false;
    friend bool operator==(const UseSeen&, const UseSeen&) = default;
};
// Between two looks. Counters that went back are those of another start: nothing is known then.
UseSeen compare_use(const UseCounters& before, const UseCounters& now, const UseThresholds& thresholds);

}  // namespace agentdb9::model
