// A workspace that nobody uses is stopped, and why it is on still is known.
#include "services/idle_service.hpp"

#include <gmock/gmock.h>

#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using model::LifeEventKind;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using Kind = model::IdleVerdict::Kind;

std::vector<model::WorkspaceType> idle_types() {
    auto types = model::built_in_types();
    for (auto& type : types)
        if (type.type == "spreadsheet") type.idle_stop = 30min;
    return types;
}

class FakeExecutions final : public ActivitySource {
  public:
    explicit FakeExecutions(base::Clock& clock) : clock_(clock) {}
    std::string_view name() const override { return "execution"; }
    std::optional<base::Time> last_activity(const base::WorkspaceId&) const override {
        if (!running) return std::nullopt;
        return clock_.now();
    }
    bool running = false;

  private:
    base::Clock& clock_;
};

class IdleTest : public MonitoredWorkspace {
  protected:
    IdleTest() : MonitoredWorkspace(idle_types()) {
        idle_.add_source(executions_);
        idle_.start();
    }
    ~IdleTest() override { run(idle_.stop()); }

    model::Workspace row() {
        return read([id = workspace_](store::Transaction& tx) { return *tx.workspaces().find(id); });
    }
    bool runs() { return row().desired_state == model::DesiredState::kRunning; }
    std::vector<LifeEventKind> kinds() {
        std::vector<LifeEventKind> found;
        for (const auto& event : read([id = workspace_](store::Transaction& tx) {
                 return tx.life_events().of_workspace(id, {.limit = 1000, .cursor = {}}).rows;
             }))
            found.push_back(event.kind);
        return found;
    }
    model::InstanceUse& use() {
        const auto found = routes_.use_of(routes_.serving(workspace_));
        if (!found) throw std::logic_error("nothing serves any more");
        return *found;
    }
    ActivityReport activity() { return run(idle_.activity(user_, workspace_)); }
    void keep_alive(std::chrono::seconds time) {
        run(idle_.keep_alive(user_, workspace_, time, std::nullopt));
    }
    // Something happens every ten minutes, for so long.
    void run_while(const std::function<void()>& happens, std::chrono::minutes time) {
        for (auto passed = 0min; passed < time; passed += 10min) {
            happens();
            loop_.run_for(10min);
        }
    }

    FakeExecutions executions_{clock_};
    IdleService idle_{loop_.executor(), clock_, *store_, catalogue_, routes_, monitoring_, containers_, {}};
};

TEST_F(IdleTest, OneThatNobodyUsesIsWarnedOfAndThenStopped) {
    loop_.run_for(24min);
    EXPECT_THAT(kinds(), Not(Contains(LifeEventKind::kIdleWarning)));
    loop_.run_for(3min);
    EXPECT_EQ(kinds().front(), LifeEventKind::kIdleWarning);
    EXPECT_EQ(activity().verdict.kind, Kind::kWarned);
    EXPECT_TRUE(runs());
    loop_.run_for(5min);
    EXPECT_FALSE(runs());
    EXPECT_THAT(kinds(), ElementsAre(LifeEventKind::kStopped, LifeEventKind::kIdleStopped,
                                     LifeEventKind::kIdleWarning, LifeEventKind::kStarted,
                                     LifeEventKind::kStartRequested, LifeEventKind::kCreated));
    const auto operation =
        read([id = workspace_](store::Transaction& tx) { return *tx.operations().latest_of(id); });
    EXPECT_EQ(operation.kind, model::OperationKind::kStop);
    EXPECT_EQ(operation.state, model::OperationState::kSucceeded);
    EXPECT_FALSE(operation.requested_by) << "the server itself";
    const auto report = activity();
    ASSERT_TRUE(report.last_stop);
    EXPECT_EQ(report.last_stop->kind, LifeEventKind::kIdleStopped);
    EXPECT_EQ(report.last_stop->actor, model::ActorKind::kServer);
    EXPECT_THAT(report.last_stop->why, testing::HasSubstr("idle time of 30 minutes"));
    EXPECT_EQ(report.verdict.kind, Kind::kStaysOn);
    start();
    EXPECT_TRUE(runs());
    loop_.run_for(20min);
    EXPECT_TRUE(runs()) << "the start is its first use";
}

TEST_F(IdleTest, RequestsAndSocketsKeepItOn) {
    run_while([&] { model::mark_use(use().last_request_ms, clock_.steady_now()); }, 120min);
    EXPECT_TRUE(runs());
    EXPECT_EQ(activity().marks.front().source, model::kRequestActivity);
    run_while([&] { model::mark_use(use().last_frame_ms, clock_.steady_now()); }, 120min);
    EXPECT_TRUE(runs());
    EXPECT_EQ(activity().marks.front().source, model::kSocketActivity);
    EXPECT_THAT(kinds(), Not(Contains(LifeEventKind::kIdleWarning)));
    // A socket that is open, but over which nothing comes, does not.
    use().open_sockets = 3;
    loop_.run_for(40min);
    EXPECT_FALSE(runs());
}

TEST_F(IdleTest, WorkKeepsItOnThoughNobodyLooks) {
    auto& counters = monitoring_.used[instance_];
    for (int minute = 0; minute < 120; ++minute) {
        counters.cpu_ns += 6'000'000'000;  // a tenth of one processor
        loop_.run_for(1min);
    }
    EXPECT_TRUE(runs());
    EXPECT_EQ(activity().marks.front().source, model::kProcessorActivity);
    for (int minute = 0; minute < 120; ++minute) {
        counters.disk_bytes += 3 << 20;
        counters.cpu_ns += 600'000'000;
        loop_.run_for(1min);
    }
    EXPECT_TRUE(runs());
    EXPECT_EQ(activity().marks.front().source, model::kDiskActivity);
    loop_.run_for(40min);
    EXPECT_FALSE(runs());
}

TEST_F(IdleTest, ExecutionsKeepItOn) {
    executions_.running = true;
    loop_.run_for(2h);
    EXPECT_TRUE(runs());
    EXPECT_EQ(activity().marks.front().source, "execution");
    executions_.running = false;
    loop_.run_for(40min);
    EXPECT_FALSE(runs());
}

TEST_F(IdleTest, ALeaseKeepsItOnAndCanBeEnded) {
    keep_alive(2h);
    loop_.run_for(110min);
    EXPECT_TRUE(runs());
    EXPECT_THAT(kinds(), Contains(LifeEventKind::kKeptAlive));
    keep_alive(60s);
    EXPECT_GE(*row().keep_alive_until - clock_.now(), 9min) << "the longer one stays";
    EXPECT_EQ(std::ranges::count(kinds(), LifeEventKind::kKeptAlive), 1) << "renewing is not told";
    keep_alive(0s);
    EXPECT_FALSE(row().keep_alive_until);
    loop_.run_for(10min);
    EXPECT_FALSE(runs());
    EXPECT_EQ(word_of([&] { keep_alive(60s); }), "workspace_not_running");
    const auto stranger = base::UserId::generate();
    EXPECT_EQ(word_of([&] { run(idle_.keep_alive(stranger, workspace_, 60s, std::nullopt)); }),
              "workspace_not_found");
    EXPECT_EQ(word_of([&] { run(idle_.activity(stranger, workspace_)); }), "workspace_not_found");
}

TEST_F(IdleTest, UseAfterTheWarningTakesItBack) {
    loop_.run_for(27min);
    ASSERT_THAT(kinds(), Contains(LifeEventKind::kIdleWarning));
    model::mark_use(use().last_request_ms, clock_.steady_now());
    loop_.run_for(20min);
    EXPECT_TRUE(runs());
    loop_.run_for(8min);
    EXPECT_EQ(std::ranges::count(kinds(), LifeEventKind::kIdleWarning), 2);
}

TEST_F(IdleTest, TheWorkspacesOwnTimeGoesOverItsTypes) {
    run(workspaces_.update(user_, workspace_, {.idle_stop_minutes = std::optional(0)}));
    loop_.run_for(5h);
    EXPECT_TRUE(runs());
    EXPECT_EQ(activity().verdict.kind, Kind::kStaysOn);
    run(workspaces_.update(user_, workspace_, {.idle_stop_minutes = std::optional(60)}));
    EXPECT_EQ(activity().idle_time, 60min);
    run(workspaces_.update(user_, workspace_, {.idle_stop_minutes = std::optional<int>()}));
    EXPECT_EQ(activity().idle_time, 30min);
    loop_.run_for(10min);
    EXPECT_FALSE(runs());
}

// What another server's data plane has seen lies in the database.
TEST_F(IdleTest, UseThatAnotherServerSawKeepsItOn) {
    run_while(
        [&] {
            write([id = workspace_, now = clock_.now()](store::Transaction& tx) {
                tx.activities().note(id, {std::string(model::kRequestActivity), now});
            });
        },
        120min);
    EXPECT_TRUE(runs());
}

TEST_F(IdleTest, IsNotStoppedWhereTheEngineDoesNotTellOfItsUse) {
    monitoring_.away = true;
    loop_.run_for(2h);
    EXPECT_TRUE(runs());
    monitoring_.away = false;
    loop_.run_for(10min);
    EXPECT_FALSE(runs());
}

// The server was started anew while the engine is away: nobody knows what serves.
TEST_F(IdleTest, IsNotStoppedWhileNothingIsKnownToServe) {
    loop_.run_for(26min);
    ASSERT_THAT(kinds(), Contains(LifeEventKind::kIdleWarning));
    run(idle_.stop());
    RouteBook unknown{catalogue_};
    IdleService next{loop_.executor(), clock_, *store_, catalogue_, unknown, monitoring_, containers_, {}};
    next.start();
    loop_.run_for(2h);
    EXPECT_TRUE(runs());
    run(next.stop());
}

TEST_F(IdleTest, AServerThatHasJustBegunLooksTwiceBeforeItStopsAnything) {
    loop_.run_for(26min);
    ASSERT_THAT(kinds(), Contains(LifeEventKind::kIdleWarning));
    run(idle_.stop());
    loop_.run_for(30min);
    IdleService next{loop_.executor(), clock_, *store_, catalogue_, routes_, monitoring_, containers_, {}};
    next.start();
    auto& counters = monitoring_.used[instance_];
    // A build that went on all the while.
    for (int minute = 0; minute < 10; ++minute) {
        counters.cpu_ns += 30'000'000'000;
        loop_.run_for(1min);
    }
    EXPECT_TRUE(runs());
    run(next.stop());
}

// Another server judges by it, too.
TEST_F(IdleTest, WhatThisServerSawIsNotedThoughTheEngineDoesNotAnswer) {
    loop_.run_for(10min);
    monitoring_.away = true;
    model::mark_use(use().last_request_ms, clock_.steady_now());
    loop_.run_for(2min);
    const auto marks =
        read([id = workspace_](store::Transaction& tx) { return tx.activities().of_workspace(id); });
    EXPECT_THAT(marks, Contains(testing::Field(&model::ActivityMark::source, model::kRequestActivity)));
}

TEST_F(IdleTest, ALeaseThatIsRenewedAgainAndAgainIsWarnedOfOnce) {
    loop_.run_for(20min);
    for (int minute = 0; minute < 60; ++minute) {
        keep_alive(5min);
        loop_.run_for(1min);
    }
    EXPECT_TRUE(runs());
    EXPECT_EQ(std::ranges::count(kinds(), LifeEventKind::kIdleWarning), 1);
    loop_.run_for(6min);
    EXPECT_FALSE(runs());
}

TEST_F(IdleTest, OneThatIsAskedToStopMeanwhileIsNotStoppedTwice) {
    loop_.run_for(27min);
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(1h);
    EXPECT_THAT(kinds(), Not(Contains(LifeEventKind::kIdleStopped)));
    EXPECT_EQ(activity().last_stop->kind, LifeEventKind::kStopRequested);
}

TEST_F(IdleTest, AWorkspaceThatRanBeforeAnythingWasNotedHasItsTime) {
    write([id = workspace_](store::Transaction& tx) {
        auto workspace = *tx.workspaces().find(id);
        tx.workspaces().remove(id);  // and what was noted
        tx.workspaces().insert(workspace);
    });
    EXPECT_TRUE(activity().marks.empty());
    loop_.run_for(20min);
    EXPECT_TRUE(runs());
    loop_.run_for(15min);
    EXPECT_FALSE(runs());
}

}  // namespace
}  // namespace agentdb9::services
