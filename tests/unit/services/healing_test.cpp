// An application that stops answering, or ends again and again: what the server does, records and gives up.
#include <gmock/gmock.h>

#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using model::LifeEventKind;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class Healing : public MonitoredWorkspace {
  protected:
    using MonitoredWorkspace::MonitoredWorkspace;
    test::EngineInstance& instance() { return *engine_.find(instance_); }
    model::Workspace row() {
        return read([id = workspace_](store::Transaction& tx) { return *tx.workspaces().find(id); });
    }
    std::vector<model::LifeEvent> history() {
        auto rows = read([id = workspace_](store::Transaction& tx) {
            return tx.life_events().of_workspace(id, {.limit = 1000, .cursor = {}}).rows;
        });
        std::ranges::reverse(rows);
        return rows;
    }
    std::vector<LifeEventKind> kinds() {
        std::vector<LifeEventKind> found;
        for (const auto& event : history())
            found.push_back(event.kind);
        return found;
    }
    std::int64_t restarts() { return std::ranges::count(kinds(), LifeEventKind::kRestartedByServer); }
    bool serves() { return !routes_.serving(workspace_).empty() && instance().ready_at.has_value(); }
    std::string health() { return run(containers_.workspace_status(user_, workspace_)).health; }
    // Its application ends, and the engine brings it back.
    void crash() {
        engine_.die(instance_, true);
        loop_.run_for(20s);
    }
};

TEST_F(Healing, WhatAnswersIsLeftAlone) {
    loop_.run_for(1h);
    EXPECT_EQ(instance().starts, 1);
    EXPECT_EQ(row().restarts, 0);
    EXPECT_THAT(kinds(), ElementsAre(LifeEventKind::kCreated, LifeEventKind::kStartRequested,
                                     LifeEventKind::kStarted));
}

TEST_F(Healing, WhatDoesNotAnswerIsRestartedOnceItWasAskedOftenEnough) {
    engine_.fall_ill(instance_);
    loop_.run_for(60s);
    EXPECT_EQ(instance().starts, 1) << "three times, thirty seconds apart";
    loop_.run_for(60s);
    EXPECT_EQ(instance().starts, 2);
    EXPECT_TRUE(serves());
    EXPECT_EQ(health(), "healthy");
    EXPECT_EQ(engine_.instances().size(), 1U) << "it is the same container";
    loop_.run_for(1h);
    EXPECT_THAT(kinds(),
                ElementsAre(LifeEventKind::kCreated, LifeEventKind::kStartRequested, LifeEventKind::kStarted,
                            LifeEventKind::kUnhealthy, LifeEventKind::kRestartedByServer,
                            LifeEventKind::kRecovered, LifeEventKind::kHealthy));
    for (const auto& event : history()) {
        if (event.kind != LifeEventKind::kRestartedByServer) continue;
        EXPECT_EQ(event.actor, model::ActorKind::kServer);
        EXPECT_TRUE(event.operation_id);
        EXPECT_THAT(event.why, testing::HasSubstr("did not answer 3 times in a row"));
    }
}

TEST_F(Healing, WhatAnswersAgainInTimeIsNotRestarted) {
    engine_.fall_ill(instance_);
    loop_.run_for(70s);
    instance().ready_at = clock_.steady_now();
    loop_.run_for(10min);
    EXPECT_EQ(instance().starts, 1);
    EXPECT_THAT(kinds(), Not(Contains(LifeEventKind::kUnhealthy)));
}

TEST_F(Healing, TheImagesOwnCheckCountsToo) {
    engine_.set_health(instance_, model::InstanceHealth::kUnhealthy);
    loop_.run_for(20s);
    EXPECT_EQ(instance().starts, 2);
    EXPECT_THAT(kinds(), Contains(LifeEventKind::kRestartedByServer));
}

TEST_F(Healing, IsGivenUpInTheEndAndBeginsAnewWhenSomebodyAsks) {
    instance().cursed = true;
    engine_.fall_ill(instance_);
    loop_.run_for(40min);
    EXPECT_EQ(restarts(), 5);
    auto now = row();
    EXPECT_EQ(now.status, model::WorkspaceStatus::kError);
    EXPECT_EQ(now.phase, model::Phase::kFailed);
    EXPECT_THAT(*now.last_error, testing::HasSubstr("restarted it 5 times"));
    EXPECT_EQ(instance().instance.state, model::InstanceState::kExited);
    EXPECT_EQ(history().back().kind, LifeEventKind::kFailed);
    EXPECT_EQ(history().back().details.at("code").as_string(), "application_unhealthy");
    loop_.run_for(1h);
    EXPECT_EQ(restarts(), 5) << "it stays given up";
    instance().cursed = false;
    start();
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning);
    EXPECT_EQ(row().restarts, 0);
    engine_.fall_ill(instance_);
    loop_.run_for(3min);
    EXPECT_EQ(restarts(), 6) << "at once: nothing of the earlier row counts";
    EXPECT_TRUE(serves());
}

TEST_F(Healing, PausesBecomeLonger) {
    instance().cursed = true;
    engine_.fall_ill(instance_);
    loop_.run_for(40min);
    std::vector<base::Time> times;
    for (const auto& event : history())
        if (event.kind == LifeEventKind::kRestartedByServer) times.push_back(event.at);
    ASSERT_EQ(times.size(), 5U);
    EXPECT_GE(times[4] - times[3], 80s);
}

TEST_F(Healing, CrashesAreToldWithTheirExitCode) {
    crash();
    EXPECT_THAT(kinds(), Contains(LifeEventKind::kCrashed));
    for (const auto& event : history()) {
        if (event.kind != LifeEventKind::kCrashed) continue;
        EXPECT_EQ(event.details.at("exitCode").as_int64(), 1);
        EXPECT_EQ(event.details.at("outOfMemory").as_bool(), false);
    }
    EXPECT_TRUE(serves()) << "the engine has brought it back";
    const auto report = run(containers_.workspace_status(user_, workspace_));
    EXPECT_EQ(report.recent_crashes, 1);
    EXPECT_TRUE(report.last_crash);
}

TEST_F(Healing, WhatWasAskedToEndDidNotCrash) {
    run(containers_.restart_workspace(user_, workspace_, {}));
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(1min);
    EXPECT_THAT(kinds(), Not(Contains(LifeEventKind::kCrashed)));
}

TEST_F(Healing, ACrashLoopIsGivenUpAndSaysWhy) {
    for (int i = 0; i < 4; ++i)
        crash();
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning);
    crash();
    auto now = row();
    EXPECT_EQ(now.status, model::WorkspaceStatus::kError);
    EXPECT_THAT(*now.last_error, testing::HasSubstr("ended by itself 5 times within 10 minutes"));
    EXPECT_THAT(*now.last_error, testing::HasSubstr("exit code 1"));
    EXPECT_EQ(instance().instance.state, model::InstanceState::kExited);
    start();
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning);
    crash();
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning) << "the earlier ones count no more";
}

TEST_F(Healing, CrashesFarApartAreNoLoop) {
    for (int i = 0; i < 12; ++i) {
        crash();
        loop_.run_for(3min);
    }
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning);
    EXPECT_EQ(std::ranges::count(kinds(), LifeEventKind::kCrashed), 12);
}

class LeftToItself : public Healing {
  protected:
    static std::vector<model::WorkspaceType> types() {
        auto types = model::built_in_types();
        for (auto& type : types)
            type.health_check.restart = false;
        return types;
    }
    LeftToItself() : Healing(types()) {}
};

TEST_F(LeftToItself, IsToldButNotTouched) {
    engine_.fall_ill(instance_);
    loop_.run_for(10min);
    EXPECT_EQ(instance().starts, 1);
    EXPECT_EQ(health(), "unhealthy");
    EXPECT_TRUE(row().unhealthy_since);
    instance().ready_at = clock_.steady_now();
    loop_.run_for(1min);
    EXPECT_EQ(health(), "healthy");
    EXPECT_FALSE(row().unhealthy_since);
    EXPECT_THAT(kinds(),
                ElementsAre(LifeEventKind::kCreated, LifeEventKind::kStartRequested, LifeEventKind::kStarted,
                            LifeEventKind::kUnhealthy, LifeEventKind::kHealthy));
    for (int i = 0; i < 8; ++i)
        crash();
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning);
}

}  // namespace
}  // namespace agentdb9::services
