// What the store's transactions cost, for those who operate the server. Written and read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/histogram.hpp"

namespace agentdb9::store {

struct TransactionMeasures {
    enum Outcome : std::uint8_t {
        kDone,
        kRefused,      // what it was to do threw: rolled back
        kUnavailable,  // the database did not answer
        kFailed,
    };
    static constexpr std::array<std::string_view, 4> kOutcomes{"done", "refused", "unavailable", "failed"};

    base::Histogram waited;  // for a thread and a connection of the store's
    base::Histogram took;    // from then on, waiting for other writers included
    std::array<std::atomic<std::uint64_t>, kOutcomes.size()> ended{};
    std::atomic<std::uint64_t> asked = 0;
    std::atomic<std::uint64_t> begun = 0;  // the others wait
};

}  // namespace agentdb9::store
