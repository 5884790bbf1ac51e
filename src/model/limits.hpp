// What a workspace's instance may use: as its type has it, as its user set it, and as far as the operator
// allows that. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace agentdb9::model {

inline constexpr std::int64_t kDefaultShmMb = 64;  // what engines give where nothing is said

// Limits of a process by the name that getrlimit(2) has for it, in lower case: "nofile". Soft and hard alike.
using Ulimits = std::map<std::string, std::int64_t>;

struct ResourceLimits {
    double cpus = 1.0;
    std::int64_t memory_mb = 1024;
    std::int64_t memory_reservation_mb = 256;
    std::int64_t pids = 512;
    std::int64_t shm_mb = kDefaultShmMb;  // of /dev/shm, whose content counts as memory
    Ulimits ulimits;                      // those that are not here are the engine's own
    friend bool operator==(const ResourceLimits&, const ResourceLimits&) = default;
};

// Some of them. A user's for a workspace: what is absent is as the type has it. An operator's bounds for
// that: what is absent is bounded by the type's own.
struct SomeLimits {
    std::optional<double> cpus;
    std::optional<std::int64_t> memory_mb;
    std::optional<std::int64_t> memory_reservation_mb;
    std::optional<std::int64_t> pids;
    std::optional<std::int64_t> shm_mb;
    Ulimits ulimits;
    bool empty() const { return *this == SomeLimits(); }
    friend bool operator==(const SomeLimits&, const SomeLimits&) = default;
};

// A change of a user's limits: what is absent stays; what is there without a value is the type's again.
struct LimitsChange {
    bool reset = false;  // all, before the rest of the change
    std::optional<std::optional<double>> cpus;
    std::optional<std::optional<std::int64_t>> memory_mb;
    std::optional<std::optional<std::int64_t>> memory_reservation_mb;
    std::optional<std::optional<std::int64_t>> pids;
    std::optional<std::optional<std::int64_t>> shm_mb;
    bool reset_ulimits = false;
    std::map<std::string, std::optional<std::int64_t>> ulimits;
};
SomeLimits changed(SomeLimits limits, const LimitsChange& change);

// The range that a limit can be in at all, whoever sets it.
struct Range {
    double least;
    double most;
};
inline constexpr Range kCpusRange{0.01, 1024};
inline constexpr Range kMemoryRange{6, 16 * 1024 * 1024};  // the engine takes nothing below 6 MB
inline constexpr Range kReservationRange{0, 16 * 1024 * 1024};
inline constexpr Range kPidsRange{1, 1'000'000};
inline constexpr Range kShmRange{1, 16 * 1024 * 1024};
inline constexpr Range kUlimitRange{0, 1e15};
std::span<const std::string_view> ulimit_names();
bool is_ulimit_name(std::string_view name);

// The most that users of the type may have, by what its operator says.
ResourceLimits most_of(const ResourceLimits& of_type, const SomeLimits& bounds);

// What is wrong with a user's limits, each by its field ("resourceLimits.memory") and with the bound in it.
std::vector<base::FieldProblem> problems_with(const SomeLimits& wanted, const ResourceLimits& of_type,
                                              const SomeLimits& bounds);

// What is in force: never above the bounds, also where these were lowered after the user had set theirs.
ResourceLimits in_force(const SomeLimits& wanted, const ResourceLimits& of_type, const SomeLimits& bounds);

// Do the two differ in what a running instance can be given, or only in what it is made with?
bool same_while_running(const ResourceLimits& has, const ResourceLimits& wanted);
bool same_when_made(const ResourceLimits& has, const ResourceLimits& wanted);
// The fields, by their names in the API, in which they differ.
std::vector<std::string> differences(const ResourceLimits& has, const ResourceLimits& wanted);

// May an instance that uses so much be given so little, without being ended for it at once?
bool fits_in_memory(std::uint64_t used_bytes, std::int64_t memory_mb);

// As the API has them: {"cpus", "memory", "memoryReservation", "pids", "shmSize", "ulimits"}.
json::object to_json(const ResourceLimits& limits);
json::object to_json(const SomeLimits& limits);  // only what is there
// What cannot be understood is left out.
SomeLimits some_limits_from(const json::object& object);

}  // namespace agentdb9::model
