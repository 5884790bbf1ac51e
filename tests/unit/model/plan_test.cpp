#include "model/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = ActionKind;

const auto kWorkspace = *base::WorkspaceId::parse("11111111-1111-4111-8111-111111111111");
const std::string kPlain = instance_name(kWorkspace);

Target target(std::int64_t generation, std::vector<std::string> volumes) {
    return {
        .generation = generation, .spec = "s" + std::to_string(generation), .volumes = std::move(volumes)};
}

ObservedInstance instance(const Target& of, InstanceState state, bool ready = false, bool serving = false) {
    ObservedInstance made{
        .instance = {.id = "c" + std::to_string(of.generation), .workspace_id = kWorkspace}};
    made.instance.name = kPlain;
    made.instance.generation = of.generation;
    made.instance.spec = of.spec;
    made.instance.state = state;
    made.instance.volumes = of.volumes;
    made.ready = ready;
    made.serving = serving;
    return made;
}

Desired running(Target current) {
    return {
        .state = Desired::State::kRunning, .plain_name = kPlain, .current = std::move(current), .next = {}};
}

std::vector<Kind> kinds(const Desired& desired, const Observed& observed) {
    std::vector<Kind> found;
    for (const auto& action : plan(desired, observed))
        found.push_back(action.kind);
    return found;
}

TEST(Plan, StartsFromNothing) {
    EXPECT_THAT(kinds(running(target(1, {"a"})), {}),
                ElementsAre(Kind::kEnsureVolumes, Kind::kCreate, Kind::kStart, Kind::kProbe,
                            Kind::kPublishRoute, Kind::kComplete));
    EXPECT_TRUE(plan(running(target(1, {"a"})), {})[1].plain);
}

TEST(Plan, HasNothingToDoForWhatServesAlready) {
    const auto one = target(1, {"a"});
    const Observed observed{{instance(one, InstanceState::kRunning, true, true)}, true};
    EXPECT_TRUE(is_settled(plan(running(one), observed)));
}

TEST(Plan, StartsAStoppedInstanceAgainInsteadOfMakingAnother) {
    const auto one = target(1, {"a"});
    EXPECT_THAT(
        kinds(running(one), {{instance(one, InstanceState::kExited)}, true}),
        ElementsAre(Kind::kEnsureVolumes, Kind::kStart, Kind::kProbe, Kind::kPublishRoute, Kind::kComplete));
}

TEST(Plan, MakesAStoppedInstanceAnewWhenItWouldBeSomethingElseToday) {
    auto old = target(1, {"a"});
    old.spec = "before the upgrade";
    EXPECT_THAT(kinds(running(target(1, {"a"})), {{instance(old, InstanceState::kExited)}, true}),
                ElementsAre(Kind::kRemove, Kind::kEnsureVolumes, Kind::kCreate, Kind::kStart, Kind::kProbe,
                            Kind::kPublishRoute, Kind::kComplete));
}

Observed serving_with(const Target& of, std::optional<ResourceLimits> limits) {
    Observed observed{{instance(of, InstanceState::kRunning, true, true)}, true};
    observed.instances.front().instance.limits = limits;
    return observed;
}

TEST(Plan, GivesARunningInstanceOtherLimitsAndDoesNothingElse) {
    const auto one = target(1, {"a"});
    auto has = one.limits;
    has.memory_mb = 1;
    EXPECT_THAT(kinds(running(one), serving_with(one, has)),
                ElementsAre(Kind::kUpdateLimits, Kind::kComplete));
    EXPECT_TRUE(is_settled(plan(running(one), serving_with(one, one.limits))));
    EXPECT_TRUE(is_settled(plan(running(one), serving_with(one, std::nullopt)))) << "nobody looked";
    auto told = serving_with(one, has);
    told.instances.front().limits_told = true;
    EXPECT_TRUE(is_settled(plan(running(one), told))) << "it is not told over and over";
    auto adopted = serving_with(one, has);
    adopted.instances.front().instance.adopted = true;
    EXPECT_TRUE(is_settled(plan(running(one), adopted)));
}

TEST(Plan, LeavesARunningInstanceAloneThatWouldHaveToBeMadeAnewForItsLimits) {
    const auto one = target(1, {"a"});
    auto has = one.limits;
    has.shm_mb = 1;
    has.ulimits["nofile"] = 1;
    EXPECT_TRUE(is_settled(plan(running(one), serving_with(one, has))));
}

TEST(Plan, AStoppedInstanceGetsItsLimitsBeforeItStarts) {
    const auto one = target(1, {"a"});
    Observed observed{{instance(one, InstanceState::kExited)}, true};
    observed.instances.front().instance.limits = one.limits;
    observed.instances.front().instance.limits->cpus = 9;
    EXPECT_THAT(kinds(running(one), observed),
                ElementsAre(Kind::kEnsureVolumes, Kind::kUpdateLimits, Kind::kStart, Kind::kProbe,
                            Kind::kPublishRoute, Kind::kComplete));
    observed.instances.front().instance.limits->shm_mb = 1;
    EXPECT_THAT(kinds(running(one), observed),
                ElementsAre(Kind::kRemove, Kind::kEnsureVolumes, Kind::kCreate, Kind::kStart, Kind::kProbe,
                            Kind::kPublishRoute, Kind::kComplete))
        << "it is made anew where it cannot be given them";
}

TEST(Plan, DoesNotTouchTheLimitsOfWhatIsToBeStopped) {
    const auto one = target(1, {"a"});
    auto has = one.limits;
    has.cpus = 9;
    Desired stopped{.state = Desired::State::kStopped, .plain_name = kPlain, .current = one, .next = {}};
    EXPECT_THAT(kinds(stopped, serving_with(one, has)),
                ElementsAre(Kind::kDropRoute, Kind::kStop, Kind::kComplete));
}

TEST(Plan, LeavesARunningInstanceAloneThoughItsTypeWasChanged) {
    auto old = target(1, {"a"});
    old.spec = "before the upgrade";
    const Observed observed{{instance(old, InstanceState::kRunning, true, true)}, true};
    EXPECT_TRUE(is_settled(plan(running(target(1, {"a"})), observed)));
}

TEST(Plan, EndsAnUnhealthyInstanceToStartItAtTheNextLook) {
    const auto one = target(1, {"a"});
    auto ill = instance(one, InstanceState::kRunning, true, true);
    ill.restart = true;
    EXPECT_THAT(kinds(running(one), {{ill}, true}), ElementsAre(Kind::kHoldRoute, Kind::kStop));
    EXPECT_FALSE(is_settled(plan(running(one), {{ill}, true})));
    // One that nobody wants to run is stopped, and no more.
    Desired stopped{.plain_name = kPlain, .current = one, .next = {}};
    EXPECT_THAT(kinds(stopped, {{ill}, true}), ElementsAre(Kind::kDropRoute, Kind::kStop, Kind::kComplete));
}

TEST(Plan, ResumesWhatSomebodyPaused) {
    const auto one = target(1, {"a"});
    EXPECT_THAT(kinds(running(one), {{instance(one, InstanceState::kPaused, false, true)}, true}),
                ElementsAre(Kind::kResume, Kind::kProbe, Kind::kComplete));
}

TEST(Plan, TakesItsNameBackFromWhoeverHasIt) {
    const auto one = target(1, {"a"});
    auto mine = instance(one, InstanceState::kRunning, true, true);
    mine.instance.name = "somebody renamed it";
    const auto other = instance(target(2, {"b"}), InstanceState::kExited);
    const auto actions = plan(running(one), {{mine, other}, true});
    ASSERT_GE(actions.size(), 2U);
    EXPECT_EQ(actions[0], (Action{Kind::kRename, "c2", 2, false}));
    EXPECT_EQ(actions[1], (Action{Kind::kRename, "c1", 1, true}));
}

TEST(Plan, StopsWithTheRouteFirstAndKeepsTheInstanceForTheNextStart) {
    const auto one = target(1, {"a"});
    Desired desired{.state = Desired::State::kStopped, .plain_name = kPlain, .current = one, .next = {}};
    EXPECT_THAT(kinds(desired, {{instance(one, InstanceState::kRunning, true, true)}, true}),
                ElementsAre(Kind::kDropRoute, Kind::kStop, Kind::kComplete));
    EXPECT_TRUE(is_settled(plan(desired, {{instance(one, InstanceState::kExited)}, false})));
}

TEST(Plan, RemovesAStoppedInstanceOfAnotherGeneration) {
    Desired desired{
        .state = Desired::State::kStopped, .plain_name = kPlain, .current = target(2, {}), .next = {}};
    EXPECT_THAT(kinds(desired, {{instance(target(1, {"a"}), InstanceState::kExited)}, false}),
                ElementsAre(Kind::kComplete, Kind::kRemove));
}

// The database is an older copy: it does not know of the last generations.
TEST(Plan, WhatWasMadeAfterAnOlderCopyOfTheDatabaseStays) {
    const auto known = target(2, {"a"});
    const auto later = target(5, {"b"});
    Desired stopped{.plain_name = kPlain, .current = known, .next = {}, .last_generation = 3};
    EXPECT_THAT(kinds(stopped, {{instance(later, InstanceState::kExited)}, false}),
                ElementsAre(Kind::kComplete));
    EXPECT_THAT(kinds(stopped, {{instance(later, InstanceState::kRunning)}, true}),
                ElementsAre(Kind::kDropRoute, Kind::kStop, Kind::kComplete));
    auto wanted = running(known);
    wanted.last_generation = 3;
    const auto starts = {Kind::kEnsureVolumes, Kind::kCreate,       Kind::kStart,
                         Kind::kProbe,         Kind::kPublishRoute, Kind::kComplete};
    std::vector<Kind> expected{Kind::kStop, Kind::kRename};
    expected.insert(expected.end(), starts);
    EXPECT_EQ(kinds(wanted, {{instance(later, InstanceState::kRunning)}, true}), expected);
    // Once it has made room nothing more becomes of it.
    auto aside = instance(later, InstanceState::kExited);
    aside.instance.name = instance_name(kWorkspace, 5);
    const auto serving = instance(known, InstanceState::kRunning, true, true);
    EXPECT_TRUE(is_settled(plan(wanted, {{aside, serving}, true})));
    // One that has a generation by now is one of ours again.
    wanted.last_generation = 5;
    EXPECT_EQ(kinds(wanted, {{aside, serving}, true}), (std::vector{Kind::kComplete, Kind::kRemove}));
    Desired deleted{.state = Desired::State::kDeleted,
                    .plain_name = kPlain,
                    .current = {},
                    .next = {},
                    .last_generation = 3};
    EXPECT_THAT(kinds(deleted, {{aside}, false}), ElementsAre(Kind::kRemove, Kind::kForgetWorkspace));
}

TEST(Plan, DeletesEverythingAndForgetsLast) {
    const Desired desired{.state = Desired::State::kDeleted, .plain_name = kPlain, .current = {}, .next = {}};
    EXPECT_THAT(
        kinds(desired, {{instance(target(1, {"a"}), InstanceState::kRunning, true, true),
                         instance(target(2, {"b"}), InstanceState::kDead)},
                        true}),
        ElementsAre(Kind::kDropRoute, Kind::kStop, Kind::kRemove, Kind::kRemove, Kind::kForgetWorkspace));
    EXPECT_THAT(kinds(desired, {}), ElementsAre(Kind::kForgetWorkspace));
}

TEST(Plan, SwitchesBesideTheOldOneWhereTheyMayOverlap) {
    auto desired = running(target(1, {"a"}));
    desired.next = target(2, {"b"});
    desired.may_overlap = true;
    const Observed observed{{instance(target(1, {"a"}), InstanceState::kRunning, true, true)}, true};
    EXPECT_THAT(kinds(desired, observed),
                ElementsAre(Kind::kEnsureVolumes, Kind::kCreate, Kind::kStart, Kind::kProbe,
                            Kind::kCommitNext, Kind::kRename, Kind::kRename, Kind::kPublishRoute,
                            Kind::kComplete, Kind::kDrainAndRemove));
}

TEST(Plan, SwitchesOneAfterTheOtherWhereTheyShareAVolumeOrMayNotOverlap) {
    const auto sequential = ElementsAre(Kind::kEnsureVolumes, Kind::kCreate, Kind::kHoldRoute, Kind::kStop,
                                        Kind::kStart, Kind::kProbe, Kind::kCommitNext, Kind::kRename,
                                        Kind::kRename, Kind::kPublishRoute, Kind::kComplete, Kind::kRemove);
    auto desired = running(target(1, {"a", "home"}));
    desired.next = target(2, {"b", "home"});
    desired.may_overlap = true;
    EXPECT_THAT(kinds(desired, {{instance(*desired.current, InstanceState::kRunning, true, true)}, true}),
                sequential);
    desired.current = target(1, {"a"});
    desired.next = target(2, {"b"});
    desired.may_overlap = false;
    EXPECT_THAT(kinds(desired, {{instance(*desired.current, InstanceState::kRunning, true, true)}, true}),
                sequential);
}

TEST(Plan, AfterASwitchWasGivenUpTheOldOneIsStartedAgain) {
    const auto one = target(1, {"a", "home"});
    auto failed = instance(target(2, {"b", "home"}), InstanceState::kRunning);
    failed.instance.name = instance_name(kWorkspace, 2);
    EXPECT_THAT(kinds(running(one), {{instance(one, InstanceState::kExited), failed}, true}),
                ElementsAre(Kind::kDrainAndRemove, Kind::kEnsureVolumes, Kind::kStart, Kind::kProbe,
                            Kind::kPublishRoute, Kind::kComplete));
}

TEST(Plan, IsSettledOnlyWhenNothingButToSaySoIsLeft) {
    EXPECT_TRUE(is_settled({}));
    EXPECT_TRUE(is_settled({{Kind::kComplete, {}}}));
    EXPECT_FALSE(is_settled({{Kind::kComplete, {}}, {Kind::kRemove, "c"}}));
}

}  // namespace
}  // namespace agentdb9::model
