#include "model/instance.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace agentdb9::model {
namespace {

const auto kWorkspace = *base::WorkspaceId::parse("11111111-1111-4111-8111-111111111111");
const auto kUser = *base::UserId::parse("22222222-2222-4222-8222-222222222222");
const auto kProject = *base::ProjectId::parse("33333333-3333-4333-8333-333333333333");

InstanceSpec spec() {
    InstanceSpec made{.workspace_id = kWorkspace, .user_id = kUser, .project_id = kProject};
    made.workspace_type = "vscode";
    made.generation = 1;
    made.image = "image:1";
    made.env = {{"A", "1"}};
    made.mounts = {{"v", "/workspace"}};
    made.port = 8080;
    return made;
}

TEST(SpecHash, IsTheSameForTheSameSpecWhateverItsGeneration) {
    auto later = spec();
    later.generation = 7;
    EXPECT_EQ(spec_hash(spec()), spec_hash(later));
    EXPECT_EQ(spec_hash(spec()).size(), 32U);
}

// Instances of before there were limits of a workspace's own must not be made anew: this is what they carry.
TEST(SpecHash, IsWhatItWasBeforeWorkspacesHadLimitsOfTheirOwn) {
    EXPECT_EQ(spec_hash(spec()), "3667c0bbf2fa355eabf75cb401114892");
}

TEST(SpecHash, DoesNotChangeWithAWorkspacesOwnLimits) {
    auto changed = spec();
    changed.limits = {.cpus = 9, .memory_mb = 9, .memory_reservation_mb = 9, .pids = 9, .shm_mb = 9};
    changed.limits.ulimits["nofile"] = 9;
    EXPECT_EQ(spec_hash(spec()), spec_hash(changed));
}

TEST(SpecHash, ChangesWithEverythingThatAnInstanceIsMadeFrom) {
    const std::vector<std::function<void(InstanceSpec&)>> changes{
        [](auto& s) { s.workspace_id = *base::WorkspaceId::parse("11111111-1111-4111-8111-111111111112"); },
        [](auto& s) { s.project_id = *base::ProjectId::parse("33333333-3333-4333-8333-333333333334"); },
        [](auto& s) { s.workspace_type = "notebook"; },
        [](auto& s) { s.image = "image:2"; },
        [](auto& s) { s.command.emplace(); },
        [](auto& s) { s.command = {"--flag"}; },
        [](auto& s) { s.env["A"] = "2"; },
        [](auto& s) { s.env["B"] = ""; },
        [](auto& s) { s.mounts[0].volume = "w"; },
        [](auto& s) { s.mounts[0].path = "/elsewhere"; },
        [](auto& s) { s.mounts.push_back({"home", "/home"}); },
        [](auto& s) { s.type_limits.cpus = 3; },
        [](auto& s) { s.type_limits.memory_mb = 1; },
        [](auto& s) { s.type_limits.memory_reservation_mb = 1; },
        [](auto& s) { s.type_limits.pids = 1; },
        [](auto& s) { s.type_limits.shm_mb = 1; },
        [](auto& s) { s.type_limits.ulimits["nofile"] = 1; },
        [](auto& s) { s.port = 8081; }};
    std::vector<std::string> seen{spec_hash(spec())};
    for (const auto& change : changes) {
        auto changed = spec();
        change(changed);
        for (const auto& other : seen)
            EXPECT_NE(spec_hash(changed), other) << seen.size();
        seen.push_back(spec_hash(changed));
    }
}

TEST(InstanceNames, AreTheOnesThatOperatorsKnow) {
    EXPECT_EQ(instance_name(kWorkspace), "agentdb9-workspace-11111111-1111-4111-8111-111111111111");
    EXPECT_EQ(instance_name(kWorkspace, 12), "agentdb9-workspace-11111111-1111-4111-8111-111111111111-g12");
    EXPECT_EQ(project_volume_name(kProject), "agentdb9-project-33333333-3333-4333-8333-333333333333");
    EXPECT_EQ(home_volume_name(kWorkspace), "agentdb9-workspace-11111111-1111-4111-8111-111111111111");
}

TEST(InstanceState, WhatMayRunAgainWithoutBeingToldHoldsItsVolumes) {
    EXPECT_TRUE(holds_volumes(InstanceState::kRunning));
    EXPECT_TRUE(holds_volumes(InstanceState::kPaused));
    EXPECT_TRUE(holds_volumes(InstanceState::kRestarting));
    EXPECT_FALSE(holds_volumes(InstanceState::kCreated));
    EXPECT_FALSE(holds_volumes(InstanceState::kExited));
    EXPECT_FALSE(holds_volumes(InstanceState::kRemoving));
    EXPECT_FALSE(holds_volumes(InstanceState::kDead));
}

TEST(Endpoint, APublishedPortGoesBeforeTheAddress) {
    Instance instance{.id = "c", .workspace_id = kWorkspace};
    EXPECT_FALSE(endpoint_of(instance, 8080));
    instance.address = "10.0.0.2";
    EXPECT_EQ(endpoint_of(instance, 8080), (Endpoint{"10.0.0.2", 8080}));
    instance.published[8080] = {"127.0.0.1", 32768};
    EXPECT_EQ(endpoint_of(instance, 8080), (Endpoint{"127.0.0.1", 32768}));
    EXPECT_EQ(endpoint_of(instance, 9000), (Endpoint{"10.0.0.2", 9000}));
}

}  // namespace
}  // namespace agentdb9::model
