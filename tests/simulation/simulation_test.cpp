// Thousands of schedules, each of which a seed decides.
//
//   AGENTDB9_SIMULATION_SCHEDULES  how many (20000; 1000 where a sanitizer looks on)
//   AGENTDB9_SIMULATION_FIRST      the seed of the first one (1); they count upwards
//   AGENTDB9_SIMULATION_SEED       only the schedule of this seed, with everything that happens in it
//   AGENTDB9_SIMULATION_KEEP_GOING all that fail, a line each, instead of the first with everything that
//   happened
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "base/log.hpp"
#include "simulation/world.hpp"

namespace agentdb9::simulation {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kSchedules = 1000;
#else
constexpr std::uint64_t kSchedules = 20000;
#endif

std::optional<std::uint64_t> number_from(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    return std::strtoull(text, nullptr, 10);
}

std::string lines(const std::vector<std::string>& trace) {
    std::string text;
    for (const auto& line : trace)
        text += line + "\n";
    return text;
}

class Simulation : public testing::Test {
  protected:
    Simulation() { base::log::configure(base::log::Level::kOff, base::log::Format::kJson); }

    std::unique_ptr<store::SqliteStore> database_ = store::SqliteStore::in_memory();
};

TEST_F(Simulation, EndsWithWhatWasAskedForAndLosesNothing) {
    if (const auto seed = number_from("AGENTDB9_SIMULATION_SEED")) {
        World world(*seed, *database_, true);
        const auto verdict = world.run();
        std::cout << lines(world.trace());
        EXPECT_FALSE(verdict) << verdict->problem;
        return;
    }
    const auto schedules = number_from("AGENTDB9_SIMULATION_SCHEDULES").value_or(kSchedules);
    const auto first = number_from("AGENTDB9_SIMULATION_FIRST").value_or(1);
    for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
        const auto found = World(seed, *database_, false).run();
        if (!found) continue;
        if (std::getenv("AGENTDB9_SIMULATION_KEEP_GOING") != nullptr) {
            ADD_FAILURE() << "seed " << seed << ": " << found->problem;
            continue;
        }
        // The same once more, with everything that happens.
        const auto verdict = World(seed, *database_, true).run();
        ASSERT_TRUE(verdict) << "the schedule of seed " << seed << " does not repeat itself";
        FAIL() << "AGENTDB9_SIMULATION_SEED=" << seed << ": " << verdict->problem << "\n"
               << lines(verdict->trace);
    }
}

TEST_F(Simulation, IsDecidedByItsSeedAlone) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        World first(seed, *database_, true);
        first.run();
        const auto other = store::SqliteStore::in_memory();
        World second(seed, *other, true);
        second.run();
        ASSERT_EQ(first.trace(), second.trace()) << "seed " << seed;
        // Nor does it matter who looks on.
        World third(seed, *database_, false);
        third.run();
        ASSERT_EQ(first.mark(), third.mark()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace agentdb9::simulation
