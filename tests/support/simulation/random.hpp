// The only source of chance in a simulation: one seed, one sequence, on every machine. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <iterator>

#include "base/time.hpp"

namespace agentdb9::test {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    // SplitMix64: small, quick and good enough for choosing what happens next.
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    // 0 … count-1.
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
    bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1p-53 < probability; }
    base::Duration between(base::Duration least, base::Duration most) {
        const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
        return least + base::Duration(static_cast<std::int64_t>(next() % span));
    }
    template <class Range>
    auto& pick(Range& range) {
        return *std::next(std::begin(range), static_cast<std::ptrdiff_t>(below(std::size(range))));
    }

  private:
    std::uint64_t state_;
};

// From now on every id, token and salt of this thread comes from `seed`, so that whatever is sorted or
// hashed by an id goes the same way again. For test programs only.
void seed_ids(std::uint64_t seed);

}  // namespace agentdb9::test
