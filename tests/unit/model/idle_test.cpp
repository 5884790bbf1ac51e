#include "model/idle.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace agentdb9::model {
namespace {

using namespace std::chrono_literals;
using Kind = IdleVerdict::Kind;

const base::Time kNow = base::from_unix_ms(1'800'000'000'000);
constexpr IdleRules kHour{.stop_after = 1h, .warn_before = 5min};

TEST(Idleness, WithoutAnIdleTimeItStaysOn) {
    EXPECT_EQ(judge_idleness({.last_activity = kNow - 1000h}, kNow, {}), IdleVerdict());
}

TEST(Idleness, IsWarnedOfBeforeItIsStoppedAndNeverStoppedUnwarned) {
    IdleState state{.last_activity = kNow};
    EXPECT_EQ(judge_idleness(state, kNow, kHour), (IdleVerdict{Kind::kInUse, kNow + 1h}));
    EXPECT_EQ(judge_idleness(state, kNow + 54min, kHour).kind, Kind::kInUse);
    EXPECT_EQ(judge_idleness(state, kNow + 55min, kHour), (IdleVerdict{Kind::kWarn, kNow + 1h}));
    state.warned_at = kNow + 55min;
    EXPECT_EQ(judge_idleness(state, kNow + 59min, kHour), (IdleVerdict{Kind::kWarned, kNow + 1h}));
    EXPECT_EQ(judge_idleness(state, kNow + 1h, kHour).kind, Kind::kStop);
    // The server was away when there was time to warn.
    state.warned_at.reset();
    EXPECT_EQ(judge_idleness(state, kNow + 3h, kHour), (IdleVerdict{Kind::kWarn, kNow + 3h + 5min}));
    state.warned_at = kNow + 3h;
    EXPECT_EQ(judge_idleness(state, kNow + 3h + 4min, kHour), (IdleVerdict{Kind::kWarned, kNow + 3h + 5min}));
    EXPECT_EQ(judge_idleness(state, kNow + 3h + 5min, kHour).kind, Kind::kStop);
}

TEST(Idleness, WhatHappensAfterAWarningTakesItBack) {
    const IdleState state{.last_activity = kNow + 1min, .keep_alive_until = {}, .warned_at = kNow};
    EXPECT_EQ(judge_idleness(state, kNow + 30min, kHour).kind, Kind::kInUse);
    EXPECT_EQ(judge_idleness(state, kNow + 56min, kHour).kind, Kind::kWarn) << "it is another idleness";
}

TEST(Idleness, ALeaseKeepsItOnUntilItsEnd) {
    IdleState state{.last_activity = kNow - 10h, .keep_alive_until = kNow + 20min, .warned_at = {}};
    EXPECT_EQ(judge_idleness(state, kNow, kHour), (IdleVerdict{Kind::kInUse, kNow + 20min}));
    EXPECT_EQ(judge_idleness(state, kNow + 15min, kHour).kind, Kind::kWarn);
    state.warned_at = kNow + 15min;
    EXPECT_EQ(judge_idleness(state, kNow + 19min, kHour).kind, Kind::kWarned);
    EXPECT_EQ(judge_idleness(state, kNow + 20min, kHour).kind, Kind::kStop);
    // One that is over before does nothing.
    state = {.last_activity = kNow, .keep_alive_until = kNow + 1min, .warned_at = {}};
    EXPECT_EQ(judge_idleness(state, kNow + 2min, kHour), (IdleVerdict{Kind::kInUse, kNow + 1h}));
}

TEST(Idleness, ShortTimesAreWarnedOfInTheirSecondHalf) {
    const IdleRules short_one{.stop_after = 10s, .warn_before = 5min};
    EXPECT_EQ(judge_idleness({.last_activity = kNow}, kNow + 4s, short_one).kind, Kind::kInUse);
    EXPECT_EQ(judge_idleness({.last_activity = kNow}, kNow + 5s, short_one).kind, Kind::kWarn);
}

TEST(Idleness, WhatOtherServersNoteLateIsWaitedFor) {
    const IdleRules rules{.stop_after = 1h, .warn_before = 5min, .lag = 70s};
    const IdleState state{.last_activity = kNow, .keep_alive_until = {}, .warned_at = kNow + 56min + 10s};
    EXPECT_EQ(judge_idleness(state, kNow + 1h, rules).kind, Kind::kWarned);
    EXPECT_EQ(judge_idleness(state, kNow + 1h + 71s, rules).kind, Kind::kStop);
}

TEST(Idleness, NothingKnownIsNoReason) {
    EXPECT_EQ(judge_idleness({}, kNow, kHour).kind, Kind::kInUse);
}

TEST(IdleTime, IsTheWorkspacesOwnElseItsTypesWithinTheBounds) {
    EXPECT_EQ(idle_time(std::nullopt, 90s, {}), 90s) << "the type's is the operator's own";
    EXPECT_EQ(idle_time(30, 90s, {}), 30min);
    EXPECT_EQ(idle_time(0, 90s, {}), 0s) << "never";
    EXPECT_EQ(idle_time(1, 0s, {.least_minutes = 5}), 5min);
    EXPECT_EQ(idle_time(0, 0s, {.least_minutes = 5, .most_minutes = 60}), 60min);
    EXPECT_EQ(idle_time(600, 0s, {.least_minutes = 5, .most_minutes = 60}), 60min);
}

TEST(IdleTime, OutsideOfTheBoundsIsToldSo) {
    EXPECT_EQ(check_idle_minutes(0, {}), "");
    EXPECT_EQ(check_idle_minutes(5, {}), "");
    EXPECT_EQ(check_idle_minutes(4, {}), "must be at least 5, or 0 for never");
    EXPECT_EQ(check_idle_minutes(61, {.least_minutes = 5, .most_minutes = 60}), "must be at most 60");
    EXPECT_EQ(check_idle_minutes(60, {.least_minutes = 5, .most_minutes = 60}), "");
    EXPECT_NE(check_idle_minutes(0, {.least_minutes = 5, .most_minutes = 60}), "");
}

TEST(Use, IsSeenAboveTheThresholdsBetweenTwoLooks) {
    const UseCounters before{.at = kNow, .cpu_ns = 1'000, .disk_bytes = 50};
    const auto after = [&](std::uint64_t cpu_ns, std::uint64_t disk) {
        return compare_use(before, {.at = kNow + 60s, .cpu_ns = 1'000 + cpu_ns, .disk_bytes = 50 + disk}, {});
    };
    EXPECT_EQ(after(0, 0), UseSeen());
    EXPECT_EQ(after(3'000'000'000, 1 << 20), UseSeen()) << "five percent, a megabyte";
    EXPECT_EQ(after(3'100'000'000, 0), (UseSeen{.processor = true}));
    EXPECT_EQ(after(0, (1 << 20) + 1), (UseSeen{.disk = true}));
    EXPECT_EQ(compare_use({.at = kNow, .cpu_ns = 9'000'000'000'000}, {.at = kNow + 60s, .cpu_ns = 0}, {}),
              UseSeen())
        << "another start";
    EXPECT_EQ(compare_use(before, {.at = kNow, .cpu_ns = 9'000'000'000}, {}), UseSeen()) << "no time between";
}

TEST(Marks, TheLatestCounts) {
    EXPECT_FALSE(latest({}));
    const std::vector<ActivityMark> marks{{"a", kNow}, {"b", kNow + 2s}, {"c", kNow + 1s}};
    EXPECT_EQ(latest(marks), kNow + 2s);
}

}  // namespace
}  // namespace agentdb9::model
