// How long it was waited for something, as a histogram of Prometheus has it. One executor.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace agentdb9::services {

struct WaitTimes {
    static constexpr std::array<double, 9> kBounds{0.1, 0.5, 1,  2.5, 5,
                                                   10,  30,  60, 300};  // seconds, inclusive

    void add(std::chrono::milliseconds wait) {
        const auto seconds = std::chrono::duration<double>(wait).count();
        ++count;
        sum_seconds += seconds;
        for (std::size_t i = 0; i < kBounds.size(); ++i)
            up_to[i] += seconds <= kBounds[i] ? 1 : 0;
    }

    std::array<std::uint64_t, kBounds.size()> up_to{};  // each with those below it
    std::uint64_t count = 0;
    double sum_seconds = 0;
};

}  // namespace agentdb9::services
