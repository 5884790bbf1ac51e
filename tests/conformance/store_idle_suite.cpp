#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using model::ActivityMark;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreSuite, TheLatestUseOfEachKindIsKeptUntilTheWorkspaceGoes) {
    const auto workspace = make_workspace(kOwner, "w");
    const auto other = model::WorkspaceId::generate();
    write([&](Transaction& tx) {
        tx.workspaces().insert(workspace);
        tx.activities().note(workspace.id, {"requests", at(10)});
        tx.activities().note(workspace.id, {"sockets", at(30)});
        tx.activities().note(workspace.id, {"requests", at(20)});
        tx.activities().note(workspace.id, {"requests", at(5)});
        tx.activities().note(other, {"requests", at(99)});
    });
    const auto marks = [&](const model::WorkspaceId& id) {
        return read([=](Transaction& tx) { return tx.activities().of_workspace(id); });
    };
    EXPECT_THAT(marks(workspace.id),
                ElementsAre(ActivityMark{"sockets", at(30)}, ActivityMark{"requests", at(20)}));
    write([&](Transaction& tx) { tx.workspaces().remove(workspace.id); });
    EXPECT_THAT(marks(workspace.id), IsEmpty());
    EXPECT_THAT(marks(other), ElementsAre(ActivityMark{"requests", at(99)}));
}

TEST_P(StoreSuite, WhatIsWantedRunningIsListed) {
    auto running = make_workspace(kOwner, "running");
    running.desired_state = model::DesiredState::kRunning;
    running.idle_stop_minutes = 30;
    running.keep_alive_until = at(1000);
    running.idle_warned_at = at(500);
    running.restarts = 2;
    running.restarted_at = at(100);
    running.unhealthy_since = at(90);
    write([&](Transaction& tx) {
        tx.workspaces().insert(running);
        tx.workspaces().insert(make_workspace(kOwner, "stopped"));
    });
    const auto found = read([](Transaction& tx) { return tx.workspaces().wanted_running(); });
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().name, "running");
    EXPECT_EQ(found.front().idle_stop_minutes, 30);
    EXPECT_EQ(found.front().keep_alive_until, at(1000));
    EXPECT_EQ(found.front().idle_warned_at, at(500));
    EXPECT_EQ(found.front().restarts, 2);
    EXPECT_EQ(found.front().restarted_at, at(100));
    EXPECT_EQ(found.front().unhealthy_since, at(90));
}

}  // namespace
}  // namespace agentdb9::store
