// How the reconciler does, for those who operate the server. Control executor.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/histogram.hpp"
#include "services/operation_measures.hpp"
#include "services/reconcile_pass.hpp"

namespace agentdb9::services {

struct ReconcilerMeasures {
    // As Pass::Result has them, and those that threw.
    static constexpr std::array<std::string_view, 5> kResults{"settled", "again", "gone", "lease", "failed"};

    OperationMeasures operations;
    base::Histogram lag;  // from a change of what is wanted until the look that sees it begins
    std::array<base::Histogram, kResults.size()> passes;
    void pass_ended(std::optional<Pass::Result> result, std::chrono::nanoseconds took) {
        passes[result ? static_cast<std::size_t>(*result) : kResults.size() - 1].record(took);
    }
    base::Histogram queue_waits;  // of workspaces for their turn to be started
};

// Workspaces, as they are just now.
struct ReconcilerCounts {
    std::size_t working = 0;      // are being looked at, or wait for the next try
    std::size_t failing = 0;      // whose last try failed
    std::size_t unreachable = 0;  // for which engine or database did not answer
    std::size_t leases = 0;       // that this server leads, among several
};

}  // namespace agentdb9::services
