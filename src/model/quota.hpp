// How much a user may have: as the configuration has it for all, and as the operator set it for one. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "model/limits.hpp"

namespace agentdb9::model {

// 0: no limit. Absent, of one user: as for all.
struct Quota {
    std::optional<std::int64_t> workspaces;
    std::optional<std::int64_t> running;       // workspaces that run, or are to
    std::optional<double> cpus;                // of those, by their limits
    std::optional<std::int64_t> memory_mb;     // likewise
    std::optional<std::int64_t> volume_bytes;  // soft: measured now and then; over it nothing new is begun
    bool empty() const { return *this == Quota(); }
    friend bool operator==(const Quota&, const Quota&) = default;
};

// `of_one` over `of_all`; what is not limited is absent.
Quota in_force(const Quota& of_one, const Quota& of_all);

struct QuotaUse {
    std::int64_t workspaces = 0;
    std::int64_t running = 0;
    double cpus = 0;
    std::int64_t memory_mb = 0;
    std::optional<std::int64_t> volume_bytes;  // absent: not measured yet
};

// A limit that what is asked for would exceed.
struct QuotaExcess {
    std::string field;  // as the API has it: "memory"
    double limit = 0;
    double used = 0;
    double asked = 0;
};

// Of one more workspace. `quota`: what is in force.
std::vector<QuotaExcess> excess_by_creating(const Quota& quota, const QuotaUse& use);
// Of more files: a copy of a project, say.
std::vector<QuotaExcess> excess_by_files(const Quota& quota, const QuotaUse& use);
// Of one more that runs with these limits.
std::vector<QuotaExcess> excess_by_starting(const Quota& quota, const QuotaUse& use,
                                            const ResourceLimits& limits);
// Of giving one that runs, and is counted, other limits. Getting less is never too much.
std::vector<QuotaExcess> excess_by_changing(const Quota& quota, const QuotaUse& use,
                                            const ResourceLimits& before, const ResourceLimits& now);

// "quota_exceeded" with the numbers, in the sentence and as details. Not for an empty list.
base::Error quota_exceeded(base::ErrorCode code, const std::vector<QuotaExcess>& excess);

// {"workspaces", "running", "cpus", "memory", "volumeBytes"}; null for what is absent.
json::object to_json(const Quota& quota);
json::object to_json(const QuotaUse& use);

}  // namespace agentdb9::model
