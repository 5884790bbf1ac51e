// How long things took, as a histogram of Prometheus has it. Written and read by any thread: each number is
// exact, the set of them is no snapshot.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace agentdb9::base {

class Histogram {
  public:
    // Seconds, inclusive. The same for everything of the control plane, so that panels can be compared.
    static constexpr std::array<double, 13> kBounds{0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1,
                                                    2.5,   5,     10,    30,  60,   300};

    void record(std::chrono::nanoseconds duration) {
        const auto seconds = std::chrono::duration<double>(duration).count();
        std::size_t bucket = 0;
        while (bucket < kBounds.size() && seconds > kBounds[bucket])
            ++bucket;
        buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
        if (duration.count() > 0)
            nanoseconds_.fetch_add(static_cast<std::uint64_t>(duration.count()), std::memory_order_relaxed);
    }

    // Those in the bucket below kBounds[index], and above the bound before it; the last one has no bound.
    std::uint64_t bucket(std::size_t index) const { return buckets_[index].load(std::memory_order_relaxed); }
    double sum_seconds() const {
        return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    }

  private:
    std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
    std::atomic<std::uint64_t> nanoseconds_ = 0;
};

}  // namespace agentdb9::base
