// Tens of thousands of schedules, each of which a seed decides, on every core.
//
//   AGENTDB9_SIMULATION_SCHEDULES  how many (50000; 2000 where a sanitizer looks on)
//   AGENTDB9_SIMULATION_FIRST      the seed of the first one (1); they count upwards
//   AGENTDB9_SIMULATION_SEED       only the schedule of this seed, with everything that happens in it
//   AGENTDB9_SIMULATION_LOG        with it also what the servers log meanwhile
//   AGENTDB9_SIMULATION_KEEP_GOING all that fail, a line each, instead of the first with everything that
//                                  happened; and how far it is, now and then
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "simulation/world.hpp"

namespace agentdb9::simulation {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kSchedules = 2000;
#else
constexpr std::uint64_t kSchedules = 50000;
#endif
constexpr std::uint64_t kTellsEvery = 50000;

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

// Runs the schedules from `first` on; `found` hears of each that fails, one at a time, and says whether to go
// on. Where it `tells`, a line on the way says how far it is.
void run_all(std::uint64_t first, std::uint64_t schedules, bool tells,
             const std::function<bool(std::uint64_t seed, const std::string& problem)>& found) {
    std::atomic<std::uint64_t> next = first;
    std::atomic<bool> going = true;
    std::mutex one_at_a_time;
    const auto work = [&] {
        const auto database = store::SqliteStore::in_memory();
        while (going) {
            const auto seed = next++;
            if (seed >= first + schedules) return;
            if (tells && seed != first && (seed - first) % kTellsEvery == 0) {
                const std::lock_guard lock(one_at_a_time);
                std::cout << "schedule " << seed - first << " of " << schedules << std::endl;
            }
            const auto verdict = World(seed, *database, false).run();
            if (!verdict) continue;
            const std::lock_guard lock(one_at_a_time);
            if (going && !found(seed, verdict->problem)) going = false;
        }
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
        threads.emplace_back(work);
}

class Simulation : public testing::Test {
  protected:
    Simulation() { base::log::configure(base::log::Level::kOff, base::log::Format::kJson); }

    std::unique_ptr<store::SqliteStore> database_ = store::SqliteStore::in_memory();
};

TEST_F(Simulation, EndsWithWhatWasAskedForAndLosesNothing) {
    if (const auto seed = number_from("AGENTDB9_SIMULATION_SEED")) {
        if (std::getenv("AGENTDB9_SIMULATION_LOG") != nullptr)
            base::log::configure(base::log::Level::kDebug, base::log::Format::kJson);
        World world(*seed, *database_, true);
        const auto verdict = world.run();
        std::cout << lines(world.trace());
        EXPECT_FALSE(verdict) << verdict->problem;
        return;
    }
    const auto schedules = number_from("AGENTDB9_SIMULATION_SCHEDULES").value_or(kSchedules);
    const auto first = number_from("AGENTDB9_SIMULATION_FIRST").value_or(1);
    const bool keep_going = std::getenv("AGENTDB9_SIMULATION_KEEP_GOING") != nullptr;
    std::optional<std::uint64_t> failed;
    run_all(first, schedules, keep_going, [&](std::uint64_t seed, const std::string& problem) {
        if (!keep_going) {
            failed = seed;
            return false;
        }
        ADD_FAILURE() << "seed " << seed << ": " << problem;
        std::cout << std::flush;
        return true;
    });
    if (!failed) return;
    // The same once more, with everything that happens.
    const auto verdict = World(*failed, *database_, true).run();
    ASSERT_TRUE(verdict) << "the schedule of seed " << *failed << " does not repeat itself";
    FAIL() << "AGENTDB9_SIMULATION_SEED=" << *failed << ": " << verdict->problem << "\n"
           << lines(verdict->trace);
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
