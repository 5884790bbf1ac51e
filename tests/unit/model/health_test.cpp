#include "model/health.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace agentdb9::model {
namespace {

using namespace std::chrono_literals;
using Kind = RestartDecision::Kind;

const base::Time kStart = base::from_unix_ms(1'800'000'000'000);
constexpr RestartRules kRules;

TEST(Restarting, TheFirstIsAtOnceAndThePausesDouble) {
    Restarts made;
    auto now = kStart;
    EXPECT_EQ(decide_restart(made, now, kRules).kind, Kind::kRestart);
    for (const auto pause : {10s, 20s, 40s, 80s}) {
        made = after_restart(made, now, kRules);
        EXPECT_EQ(decide_restart(made, now + 1s, kRules), (RestartDecision{Kind::kWait, pause - 1s}));
        now += pause;
        EXPECT_EQ(decide_restart(made, now, kRules).kind, Kind::kRestart) << pause.count();
    }
    made = after_restart(made, now, kRules);
    EXPECT_EQ(made.in_a_row, kRules.most);
    EXPECT_EQ(decide_restart(made, now + 100s, kRules), (RestartDecision{Kind::kWait, 60s}))
        << "the last one, too, has its time";
    EXPECT_EQ(decide_restart(made, now + 160s, kRules).kind, Kind::kGiveUp);
}

TEST(Restarting, ThePauseHasAnEnd) {
    RestartRules rules{.most = 100};
    const Restarts made{.in_a_row = 50, .last = kStart};
    EXPECT_EQ(decide_restart(made, kStart, rules), (RestartDecision{Kind::kWait, rules.longest_pause}));
    EXPECT_LT(rules.longest_pause, rules.healthy_while) << "else a pause would end a row";
}

TEST(Restarting, AHealthyWhileBeginsANewRow) {
    const Restarts made{.in_a_row = 5, .last = kStart};
    EXPECT_EQ(decide_restart(made, kStart + 10min, kRules).kind, Kind::kGiveUp);
    EXPECT_EQ(decide_restart(made, kStart + 10min + 1s, kRules).kind, Kind::kRestart);
    EXPECT_EQ(after_restart(made, kStart + 11min, kRules), (Restarts{1, kStart + 11min}));
}

TEST(Restarting, AClockPutBackMakesNoPauseLonger) {
    const Restarts made{.in_a_row = 1, .last = kStart};
    EXPECT_EQ(decide_restart(made, kStart - 24h, kRules), (RestartDecision{Kind::kWait, 10s}));
}

// Whatever the moments at which somebody asks, within `healthy_while` there are never more than `most`.
TEST(Restarting, NeverMoreThanAllowedWithinAWhile) {
    for (const auto step : {1s, 7s, 10s, 61s, 299s}) {
        Restarts made;
        std::vector<base::Time> all;
        for (auto now = kStart; now < kStart + 24h; now += step) {
            const auto decision = decide_restart(made, now, kRules);
            if (decision.kind == Kind::kGiveUp) break;
            if (decision.kind == Kind::kWait) continue;
            made = after_restart(made, now, kRules);
            all.push_back(now);
        }
        for (std::size_t i = 5; i < all.size(); ++i)
            EXPECT_GT(all[i] - all[i - 5], kRules.healthy_while) << step.count();
        EXPECT_GE(all.size(), 5U);
    }
}

TEST(Crashes, CountWithinTheWindowOnly) {
    const std::vector<base::Time> crashes{kStart, kStart + 1min, kStart + 9min};
    EXPECT_EQ(recent_crashes(crashes, kStart + 9min, {}), 3);
    EXPECT_EQ(recent_crashes(crashes, kStart + 10min, {}), 2);
    EXPECT_EQ(recent_crashes(crashes, kStart + 1h, {}), 0);
    EXPECT_EQ(recent_crashes({}, kStart, {}), 0);
}

TEST(Crashes, AreDescribedWithWhatIsKnown) {
    EXPECT_EQ(describe_exit(1, false), "ended with exit code 1");
    EXPECT_EQ(describe_exit(137, true), "was ended for want of memory (exit code 137)");
    EXPECT_EQ(describe_exit(std::nullopt, false), "ended with an unknown exit code");
}

}  // namespace
}  // namespace agentdb9::model
