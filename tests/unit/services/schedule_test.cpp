// Workspaces that start and stop by the clock.
#include "services/schedule_service.hpp"

#include <gmock/gmock.h>

#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using model::LifeEventKind;
using testing::HasSubstr;

class Scheduled : public MonitoredWorkspace {
  protected:
    ~Scheduled() override { run(schedules_.stop()); }

    // A rule of every day, whose times are so long from now.
    void set(std::optional<std::chrono::minutes> start, std::optional<std::chrono::minutes> stop) {
        const auto minute = [&](std::optional<std::chrono::minutes> from_now) {
            if (!from_now) return std::optional<std::chrono::minutes>();
            const auto at = std::chrono::floor<std::chrono::minutes>(clock_.now() + *from_now);
            return std::optional(std::chrono::duration_cast<std::chrono::minutes>(
                at - std::chrono::floor<std::chrono::days>(at)));
        };
        const model::Schedule schedule{.zone = "UTC", .rules = {{0b1111111, minute(start), minute(stop)}}};
        run(workspaces_.update(user_, workspace_, {.schedule = std::optional(schedule)}));
    }
    model::Workspace row() {
        return read([id = workspace_](store::Transaction& tx) { return *tx.workspaces().find(id); });
    }
    bool runs() { return row().desired_state == model::DesiredState::kRunning; }
    std::vector<model::LifeEvent> history() {
        return read([id = workspace_](store::Transaction& tx) {
            return tx.life_events().of_workspace(id, {.limit = 1000, .cursor = {}}).rows;
        });
    }
    std::int64_t warnings() {
        return std::ranges::count(history(), LifeEventKind::kScheduleWarning, &model::LifeEvent::kind);
    }
    std::int64_t operations() {
        return static_cast<std::int64_t>(read([id = workspace_](store::Transaction& tx) {
                                             return tx.operations().of_workspace(id).rows;
                                         }).size());
    }

    ScheduleService schedules_{loop_.executor(), clock_, *store_, containers_, 60s};
};

TEST_F(Scheduled, StartAndStopAtTheirHours) {
    set(600min, 60min);
    schedules_.start();
    loop_.run_for(58min);
    EXPECT_TRUE(runs());
    loop_.run_for(5min);
    EXPECT_FALSE(runs());
    const auto stop = history()[1];
    EXPECT_EQ(stop.kind, LifeEventKind::kStopRequested);
    EXPECT_EQ(stop.actor, model::ActorKind::kServer);
    EXPECT_THAT(stop.why, HasSubstr("Its schedule stops it at"));
    loop_.run_for(530min);
    EXPECT_FALSE(runs());
    loop_.run_for(15min);
    EXPECT_TRUE(runs());
    EXPECT_EQ(row().status, model::WorkspaceStatus::kRunning);
    EXPECT_EQ(operations(), 3) << "each change is made once";
}

TEST_F(Scheduled, AStopIsToldOfBeforehandAndOnce) {
    std::vector<base::WorkspaceId> told;
    schedules_.on_change([&](const base::WorkspaceId& id) { told.push_back(id); });
    ScheduleService other{loop_.executor(), clock_, *store_, containers_, 60s};
    set(std::nullopt, 60min);
    schedules_.start();
    other.start();
    loop_.run_for(54min);
    EXPECT_EQ(warnings(), 0);
    loop_.run_for(3min);
    EXPECT_EQ(warnings(), 1);
    EXPECT_LE(told.size(), 1U) << "whichever server does it";
    const auto warning = history().front();
    EXPECT_EQ(warning.kind, LifeEventKind::kScheduleWarning);
    EXPECT_THAT(warning.why, HasSubstr("Its schedule stops it at"));
    EXPECT_TRUE(warning.details.contains("stopAt"));
    EXPECT_TRUE(runs());
    loop_.run_for(6min);
    EXPECT_FALSE(runs());
    EXPECT_EQ(warnings(), 1);
    run(other.stop());
}

TEST_F(Scheduled, WhatIsKeptAliveIsWarnedWhenThatEnds) {
    set(std::nullopt, 30min);
    write([id = workspace_, until = clock_.now() + 60min](store::Transaction& tx) {
        auto workspace = *tx.workspaces().find(id);
        workspace.keep_alive_until = until;
        tx.workspaces().update(workspace);
    });
    schedules_.start();
    loop_.run_for(50min);
    EXPECT_EQ(warnings(), 0);
    loop_.run_for(8min);
    EXPECT_EQ(warnings(), 1);
    EXPECT_TRUE(runs());
    loop_.run_for(5min);
    EXPECT_FALSE(runs());
}

TEST_F(Scheduled, WhatRestsIsWarnedOfNothing) {
    set(std::nullopt, 30min);
    run(containers_.stop_workspace(user_, workspace_, {}));
    schedules_.start();
    loop_.run_for(40min);
    EXPECT_EQ(warnings(), 0);
}

TEST_F(Scheduled, WhatSomebodyDoesInBetweenStays) {
    set(30min, 600min);
    schedules_.start();
    loop_.run_for(35min);
    EXPECT_EQ(operations(), 1) << "it ran already";
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(2h);
    EXPECT_FALSE(runs()) << "until the next change";
}

TEST_F(Scheduled, OnlyTheLastChangeIsMadeUpForWhereNobodyWasThere) {
    set(40min, 20min);
    loop_.run_for(30min);
    run(containers_.stop_workspace(user_, workspace_, {}));
    loop_.run_for(60min);
    schedules_.start();
    loop_.run_for(2min);
    EXPECT_TRUE(runs());
}

TEST_F(Scheduled, WhatLiesBeforeItWasSetIsNotMadeUpFor) {
    loop_.run_for(2h);
    set(600min, -60min);
    schedules_.start();
    loop_.run_for(5min);
    EXPECT_TRUE(runs());
}

TEST_F(Scheduled, ALeaseGoesBeforeAStop) {
    set(std::nullopt, 30min);
    write([id = workspace_, until = clock_.now() + 60min](store::Transaction& tx) {
        auto workspace = *tx.workspaces().find(id);
        workspace.keep_alive_until = until;
        tx.workspaces().update(workspace);
    });
    schedules_.start();
    loop_.run_for(55min);
    EXPECT_TRUE(runs());
    loop_.run_for(10min);
    EXPECT_FALSE(runs());
}

TEST_F(Scheduled, ALeaseThatIsRenewedAgainAndAgainIsWarnedOfNowAndThen) {
    set(std::nullopt, 30min);
    schedules_.start();
    loop_.run_for(28min);
    for (int minute = 0; minute < 120; ++minute) {
        write([id = workspace_, until = clock_.now() + 5min](store::Transaction& tx) {
            auto workspace = *tx.workspaces().find(id);
            workspace.keep_alive_until = until;
            tx.workspaces().update(workspace);
        });
        loop_.run_for(1min);
    }
    EXPECT_TRUE(runs());
    EXPECT_GE(warnings(), 2);
    EXPECT_LE(warnings(), 4);
    loop_.run_for(6min);
    EXPECT_FALSE(runs());
}

// The server's clock was a day ahead when the schedule was set.
TEST_F(Scheduled, GoesOnAfterAClockThatWasAhead) {
    set(std::nullopt, 60min);
    write([id = workspace_, ahead = clock_.now() + 24h](store::Transaction& tx) {
        auto workspace = *tx.workspaces().find(id);
        workspace.schedule_seen_at = ahead;
        tx.workspaces().update(workspace);
    });
    schedules_.start();
    loop_.run_for(65min);
    EXPECT_FALSE(runs());
}

TEST_F(Scheduled, StartNothingForWhomIsLockedOut) {
    set(30min, std::nullopt);
    run(containers_.stop_workspace(user_, workspace_, {}));
    const auto lock = [this](bool active) {
        write([id = user_, active](store::Transaction& tx) {
            auto user = *tx.users().find(id);
            user.is_active = active;
            tx.users().update(user);
        });
    };
    lock(false);
    schedules_.start();
    loop_.run_for(60min);
    EXPECT_FALSE(runs());
    lock(true);
    loop_.run_for(60min);
    EXPECT_FALSE(runs()) << "what was left out is not made up for";
    loop_.run_for(24h);
    EXPECT_TRUE(runs());
}

TEST_F(Scheduled, TwoServersMakeAChangeOnce) {
    ScheduleService other{loop_.executor(), clock_, *store_, containers_, 60s};
    set(std::nullopt, 30min);
    schedules_.start();
    other.start();
    loop_.run_for(35min);
    EXPECT_FALSE(runs());
    EXPECT_EQ(operations(), 2) << "the start, and one stop";
    run(other.stop());
}

TEST_F(Scheduled, EndsWhenItIsTakenAway) {
    set(std::nullopt, 30min);
    run(workspaces_.update(user_, workspace_, {.schedule = std::optional<model::Schedule>()}));
    schedules_.start();
    loop_.run_for(2h);
    EXPECT_TRUE(runs());
}

}  // namespace
}  // namespace agentdb9::services
