#include "model/quota.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> fields(const std::vector<QuotaExcess>& excess) {
    std::vector<std::string> names;
    for (const auto& each : excess)
        names.push_back(each.field);
    return names;
}

const QuotaUse kUse{.workspaces = 3, .running = 2, .cpus = 3, .memory_mb = 4096, .volume_bytes = 1000};
const ResourceLimits kLimits{.cpus = 1, .memory_mb = 1024};

TEST(Quota, WhatIsSetForOneGoesOverWhatIsForAll) {
    const Quota of_all{.workspaces = 5, .running = 2, .cpus = 4};
    const auto quota = in_force({.workspaces = 9, .running = 0, .memory_mb = 100}, of_all);
    EXPECT_EQ(quota, (Quota{.workspaces = 9, .running = {}, .cpus = 4, .memory_mb = 100})) << "0 is no limit";
    EXPECT_TRUE(in_force({}, {}).empty());
    EXPECT_TRUE(in_force({}, {.workspaces = 0, .cpus = 0}).empty());
}

TEST(Quota, TheLastOneFitsAndTheNextDoesNot) {
    EXPECT_THAT(excess_by_creating({.workspaces = 4}, kUse), IsEmpty());
    EXPECT_THAT(fields(excess_by_creating({.workspaces = 3}, kUse)), ElementsAre("workspaces"));
    EXPECT_THAT(excess_by_starting({.running = 3, .cpus = 4, .memory_mb = 5120}, kUse, kLimits), IsEmpty());
    EXPECT_THAT(fields(excess_by_starting({.running = 2, .cpus = 3.9, .memory_mb = 5119}, kUse, kLimits)),
                ElementsAre("running", "cpus", "memory"));
    // What creating is bounded by does not bound starting, and the other way round.
    EXPECT_THAT(excess_by_starting({.workspaces = 1}, kUse, kLimits), IsEmpty());
    EXPECT_THAT(excess_by_creating({.running = 1, .cpus = 1, .memory_mb = 1}, kUse), IsEmpty());
}

TEST(Quota, PartsOfProcessorsAddUpToWholeOnes) {
    QuotaUse use;
    for (int i = 0; i < 9; ++i)
        use.cpus += 0.1;
    EXPECT_THAT(excess_by_starting({.cpus = 1}, use, {.cpus = 0.1}), IsEmpty());
}

TEST(Quota, VolumesAreASoftLimitThatKeepsWhatIsNewFromBeginning) {
    EXPECT_THAT(excess_by_starting({.volume_bytes = 1000}, kUse, kLimits), IsEmpty());
    EXPECT_THAT(fields(excess_by_starting({.volume_bytes = 999}, kUse, kLimits)), ElementsAre("volumeBytes"));
    EXPECT_THAT(fields(excess_by_creating({.volume_bytes = 999}, kUse)), ElementsAre("volumeBytes"));
    EXPECT_THAT(excess_by_creating({.volume_bytes = 1}, {}), IsEmpty()) << "not measured yet";
}

TEST(Quota, GettingLessIsNeverTooMuch) {
    const Quota quota{.cpus = 1, .memory_mb = 10};
    EXPECT_THAT(excess_by_changing(quota, kUse, kLimits, {.cpus = 0.5, .memory_mb = 512}), IsEmpty());
    EXPECT_THAT(fields(excess_by_changing(quota, kUse, kLimits, {.cpus = 0.5, .memory_mb = 1025})),
                ElementsAre("memory"));
    EXPECT_THAT(excess_by_changing({.cpus = 4}, kUse, kLimits, {.cpus = 2, .memory_mb = 1024}), IsEmpty());
    EXPECT_THAT(fields(excess_by_changing({.cpus = 4}, kUse, kLimits, {.cpus = 2.5, .memory_mb = 1024})),
                ElementsAre("cpus"));
}

TEST(Quota, ARefusalHasTheNumbers) {
    const auto error = quota_exceeded(base::ErrorCode::kQuota,
                                      excess_by_starting({.running = 2, .cpus = 3.5}, kUse, kLimits));
    EXPECT_EQ(error.word(), "quota_exceeded");
    EXPECT_THAT(error.message(), HasSubstr("at most 2 running workspaces, 2 in use, 1 asked for; at most 3.5 "
                                           "processors of running workspaces, 3 in use, 1 asked for."));
    ASSERT_EQ(error.fields().size(), 2U);
    const auto& cpus = error.fields()[1];
    EXPECT_EQ(cpus.field, "cpus");
    ASSERT_TRUE(cpus.amounts);
    EXPECT_EQ(cpus.amounts->limit, 3.5);
    EXPECT_EQ(cpus.amounts->used, 3);
    EXPECT_EQ(cpus.amounts->asked, 1);
}

}  // namespace
}  // namespace agentdb9::model
