#include "model/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ResourceLimits kType{.cpus = 2, .memory_mb = 2048, .memory_reservation_mb = 512, .pids = 512};

// "memory: must be …" for each.
std::vector<std::string> problems(const SomeLimits& wanted, const SomeLimits& bounds = {},
                                  const ResourceLimits& type = kType) {
    std::vector<std::string> texts;
    for (const auto& each : problems_with(wanted, type, bounds))
        texts.push_back(each.field + ": " + each.problem);
    return texts;
}

TEST(Limits, WithoutBoundsATypesOwnAreTheMost) {
    EXPECT_THAT(problems({}), IsEmpty());
    EXPECT_THAT(
        problems({.cpus = 2, .memory_mb = 2048, .memory_reservation_mb = 2048, .pids = 512, .shm_mb = 64}),
        IsEmpty());
    EXPECT_THAT(problems({.cpus = 0.5, .memory_mb = 64, .pids = 1, .shm_mb = 1}), IsEmpty());
    EXPECT_THAT(problems({.cpus = 2.01}),
                ElementsAre(HasSubstr("resourceLimits.cpus: must be 0.01 to 2 processors")));
    EXPECT_THAT(problems({.memory_mb = 2049}),
                ElementsAre(HasSubstr("resourceLimits.memory: must be 6 to 2048 MB")));
    EXPECT_THAT(problems({.pids = 513}), ElementsAre(HasSubstr("resourceLimits.pids: must be 1 to 512")));
    EXPECT_THAT(problems({.shm_mb = 65}),
                ElementsAre(HasSubstr("resourceLimits.shmSize: must be 1 to 64 MB")));
    EXPECT_THAT(problems({.ulimits = {{"nofile", 10}}}),
                ElementsAre(HasSubstr("resourceLimits.ulimits.nofile: cannot be set for this type")));
}

TEST(Limits, BoundsAllowMoreAndNothingBeyond) {
    const SomeLimits bounds{
        .cpus = 8, .memory_mb = 16384, .pids = 4096, .shm_mb = 1024, .ulimits = {{"nofile", 4096}}};
    EXPECT_THAT(
        problems({.cpus = 8, .memory_mb = 16384, .pids = 4096, .shm_mb = 1024, .ulimits = {{"nofile", 4096}}},
                 bounds),
        IsEmpty());
    EXPECT_EQ(
        problems(
            {.cpus = 8.5, .memory_mb = 16385, .pids = 4097, .shm_mb = 1025, .ulimits = {{"nofile", 4097}}},
            bounds)
            .size(),
        5U);
    // One that is not bounded stays as the type has it.
    EXPECT_EQ(problems({.cpus = 2.5}, {.memory_mb = 16384}).size(), 1U);
}

TEST(Limits, WhatNoInstanceCouldHaveIsRefusedWhateverTheBounds) {
    const SomeLimits bounds{.cpus = 8, .memory_mb = 16384};
    EXPECT_EQ(problems({.cpus = 0}, bounds).size(), 1U);
    EXPECT_EQ(problems({.cpus = -1}, bounds).size(), 1U);
    EXPECT_EQ(problems({.memory_mb = 5}, bounds).size(), 1U);
    EXPECT_EQ(problems({.memory_reservation_mb = -1}, bounds).size(), 1U);
    EXPECT_EQ(problems({.pids = 0}, bounds).size(), 1U);
    EXPECT_EQ(problems({.shm_mb = 0}, bounds).size(), 1U);
    EXPECT_THAT(
        problems({.memory_mb = 100, .memory_reservation_mb = 101}, bounds),
        ElementsAre(HasSubstr("memoryReservation: must not be more than the workspace's memory, 100 MB")));
    EXPECT_THAT(problems({.ulimits = {{"rtprio", 1}}}, {.ulimits = {{"rtprio", 9}}}),
                ElementsAre(HasSubstr("is not the name of a limit")));
    EXPECT_EQ(problems({.ulimits = {{"nofile", -1}}}, {.ulimits = {{"nofile", 9}}}).size(), 1U);
}

TEST(Limits, InForceIsTheUsersWithinTheBoundsOverTheTypes) {
    EXPECT_EQ(in_force({}, kType, {}), kType);
    const auto limits = in_force({.cpus = 1, .shm_mb = 32}, kType, {});
    EXPECT_EQ(limits.cpus, 1);
    EXPECT_EQ(limits.shm_mb, 32);
    EXPECT_EQ(limits.memory_mb, 2048);
    // The operator lowered the bounds afterwards.
    EXPECT_EQ(in_force({.cpus = 8, .memory_mb = 9999}, kType, {.cpus = 4}).cpus, 4);
    EXPECT_EQ(in_force({.cpus = 8, .memory_mb = 9999}, kType, {.cpus = 4}).memory_mb, 2048);
    EXPECT_THAT(in_force({.ulimits = {{"nofile", 5}}}, kType, {}).ulimits, IsEmpty());
    EXPECT_EQ(
        in_force({.ulimits = {{"nofile", 50}}}, kType, {.ulimits = {{"nofile", 9}}}).ulimits.at("nofile"), 9);
    // A reservation above the memory is none that an engine takes.
    EXPECT_EQ(in_force({.memory_mb = 100}, kType, {}).memory_reservation_mb, 100);
}

TEST(Limits, AChangeTakesWhatItNamesAndLeavesTheRest) {
    const SomeLimits before{.cpus = 1, .memory_mb = 100, .ulimits = {{"nofile", 1}, {"nproc", 2}}};
    LimitsChange change;
    change.cpus.emplace();
    change.pids.emplace(7);
    change.ulimits["nofile"];
    const auto after = changed(before, change);
    EXPECT_EQ(after, (SomeLimits{.memory_mb = 100, .pids = 7, .ulimits = {{"nproc", 2}}}));
    EXPECT_TRUE(changed(before, {.reset = true}).empty());
    LimitsChange other{.reset = true};
    other.memory_mb.emplace(8);
    EXPECT_EQ(changed(before, other), (SomeLimits{.memory_mb = 8}));
    EXPECT_THAT(changed(before, {.reset_ulimits = true}).ulimits, IsEmpty());
}

TEST(Limits, SomeCanBeGivenToWhatRunsAndOthersNot) {
    const auto with = [](auto change) {
        auto limits = kType;
        change(limits);
        return limits;
    };
    for (const auto& other :
         {with([](auto& l) { l.cpus = 1; }), with([](auto& l) { l.memory_mb = 1; }),
          with([](auto& l) { l.memory_reservation_mb = 1; }), with([](auto& l) { l.pids = 1; })}) {
        EXPECT_FALSE(same_while_running(kType, other));
        EXPECT_TRUE(same_when_made(kType, other));
        EXPECT_EQ(differences(kType, other).size(), 1U);
    }
    for (const auto& other :
         {with([](auto& l) { l.shm_mb = 1; }), with([](auto& l) { l.ulimits["nofile"] = 1; }),
          with([](auto& l) { l.memory_reservation_mb = 0; })}) {
        EXPECT_TRUE(same_while_running(kType, other));
        EXPECT_FALSE(same_when_made(kType, other));
        EXPECT_EQ(differences(kType, other).size(), 1U);
    }
    EXPECT_TRUE(
        same_while_running(with([](auto& l) { l.cpus = 0.1 + 0.2; }), with([](auto& l) { l.cpus = 0.3; })));
}

TEST(Limits, LessMemoryThanIsUsedWouldEndIt) {
    constexpr std::uint64_t kMb = 1024 * 1024;
    EXPECT_TRUE(fits_in_memory(100 * kMb, 116));
    EXPECT_FALSE(fits_in_memory(100 * kMb + 1, 116));
    EXPECT_FALSE(fits_in_memory(200 * kMb, 100));
}

TEST(Limits, ComeBackFromTheirTextAndTakeNothingElseFromIt) {
    const SomeLimits some{.cpus = 1.5,
                          .memory_mb = 100,
                          .memory_reservation_mb = 0,
                          .pids = 9,
                          .shm_mb = 3,
                          .ulimits = {{"nofile", 4}}};
    EXPECT_EQ(some_limits_from(json::parse(json::serialize(to_json(some))).as_object()), some);
    EXPECT_TRUE(some_limits_from({}).empty());
    EXPECT_TRUE(some_limits_from(
                    json::parse(R"({"cpus":"2","memory":"2g","pids":1.5,"ulimits":[1],"x":{}})").as_object())
                    .empty());
}

}  // namespace
}  // namespace agentdb9::model
