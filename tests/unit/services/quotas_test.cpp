#include "services/quota_service.hpp"

#include <gmock/gmock.h>

#include "services/volume_measurement.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"
#include "support/simulation/runtime.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

const RequestOptions kAtOnce{.respond_async = true};

class QuotasTest : public ServicesTest {
  protected:
    QuotasTest() {
        routes_.set_publisher([](auto) -> Task<> { co_return; });
        for (const auto& type : catalogue_.all())
            engine_.images().insert(type.container_image);
        write([user = user_](store::Transaction& tx) {
            model::User row{.id = user};
            row.email = "ada@example.test";
            tx.users().insert(row);
        });
        run(reconciler_.start());
    }
    ~QuotasTest() override { run(reconciler_.stop()); }

    base::WorkspaceId create() { return run(workspaces_.create(user_, {.type = "spreadsheet"})).id; }
    std::string start(const base::WorkspaceId& id, RequestOptions options = {}) {
        return word_of([&] { run(containers_.start_workspace(user_, id, options)); });
    }
    void allow(model::Quota quota) {
        write([user = user_, quota](store::Transaction& tx) { tx.quotas().set(user, quota); });
    }
    static Task<> starting(QuotasTest& test, base::WorkspaceId id) {
        try {
            co_await test.containers_.start_workspace(test.user_, id, kAtOnce);
            ++test.begun_;
        } catch (const base::Error& error) {
            test.refusals_.push_back(error.word());
        }
    }
    static Task<> creating(QuotasTest& test) {
        try {
            co_await test.workspaces_.create(test.user_, {.type = "spreadsheet"});
            ++test.begun_;
        } catch (const base::Error& error) {
            test.refusals_.push_back(error.word());
        }
    }

    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    test::SimulatedRuntime runtime_{engine_, clock_, random_, base::InstallationId::generate(), faults_};
    model::Catalogue catalogue_{model::built_in_types()};
    RouteBook routes_{catalogue_};
    Reconciler reconciler_{loop_.executor(), clock_, *store_, runtime_, catalogue_, routes_, {}};
    WorkspaceContainerService containers_{clock_,  *store_,    runtime_,       reconciler_,
                                          routes_, catalogue_, {.running = 10}};
    WorkspacesService workspaces_{clock_, *store_, routes_, catalogue_, {.workspaces = 10}};
    QuotaService quotas_{*store_, catalogue_, {.workspaces = 10, .running = 10}};
    base::UserId user_ = base::UserId::generate();
    int begun_ = 0;
    std::vector<std::string> refusals_;
};

TEST_F(QuotasTest, NoMoreAreCreatedThanTheUserMayHave) {
    allow({.workspaces = 2});
    create();
    const auto second = create();
    EXPECT_EQ(word_of([&] { create(); }), "quota_exceeded");
    run(containers_.delete_workspace(user_, second, {}));
    EXPECT_EQ(word_of([&] { create(); }), "");
    EXPECT_EQ(word_of([&] { run(workspaces_.create(base::UserId::generate(), {.type = "spreadsheet"})); }),
              "")
        << "another user's are not counted";
}

TEST_F(QuotasTest, ItIsAForbiddenCreationAndAConflictingStart) {
    allow({.workspaces = 1, .cpus = 0.5});
    const auto only = create();
    const auto code_of = [](auto work) {
        try {
            work();
        } catch (const base::Error& error) {
            return error.code();
        }
        return base::ErrorCode::kInternal;
    };
    EXPECT_EQ(code_of([&] { create(); }), base::ErrorCode::kForbidden);
    EXPECT_EQ(code_of([&] { run(containers_.start_workspace(user_, only, {})); }), base::ErrorCode::kQuota);
    EXPECT_EQ(read([&](store::Transaction& tx) { return tx.workspaces().find(only)->desired_state; }),
              model::DesiredState::kStopped)
        << "nothing of it stays";
}

TEST_F(QuotasTest, WhatRunsAlreadyIsNotCountedTwice) {
    allow({.running = 1});
    const auto one = create();
    const auto two = create();
    EXPECT_EQ(start(one), "");
    EXPECT_EQ(start(one), "");
    EXPECT_EQ(word_of([&] { run(containers_.restart_workspace(user_, one, {})); }), "");
    EXPECT_EQ(start(two), "quota_exceeded");
    EXPECT_EQ(word_of([&] { run(containers_.restart_workspace(user_, two, {})); }), "quota_exceeded");
    run(containers_.stop_workspace(user_, one, {}));
    EXPECT_EQ(start(two), "");
}

TEST_F(QuotasTest, WhatIsWantedStaysSoThoughThereIsNoRoomAnyMore) {
    const auto one = create();
    EXPECT_EQ(start(one), "");
    allow({.workspaces = 1, .running = 1, .cpus = 0.1, .memory_mb = 10});
    engine_.die(engine_.instances().begin()->first, false);
    loop_.run_for(1min);
    EXPECT_EQ(engine_.instances().begin()->second.instance.state, model::InstanceState::kRunning)
        << "it is brought back";
    EXPECT_EQ(word_of([&] { run(containers_.restart_workspace(user_, one, {})); }), "");
    run(containers_.stop_workspace(user_, one, {}));
    EXPECT_EQ(start(one), "quota_exceeded");
}

TEST_F(QuotasTest, TwoAtOnceDoNotBothGetTheLastOne) {
    allow({.workspaces = 3, .running = 1});
    const auto one = create();
    const auto two = create();
    base::Scope scope(loop_.executor());
    for (const auto& id : {one, two})
        scope.spawn("start", starting(*this, id));
    loop_.run_for(1s);
    EXPECT_EQ(begun_, 1);
    EXPECT_THAT(refusals_, testing::ElementsAre("quota_exceeded"));
    for (int i = 0; i < 2; ++i)
        scope.spawn("create", creating(*this));
    loop_.run_for(1s);
    EXPECT_EQ(begun_, 2);
    EXPECT_THAT(refusals_, testing::ElementsAre("quota_exceeded", "quota_exceeded"));
    run(scope.close());
}

TEST_F(QuotasTest, AWorkspacesOwnLimitsAreWhatItCounts) {
    allow({.cpus = 1, .memory_mb = 1024});
    const auto one = create();
    const auto two = create();
    const auto halve = [&](const base::WorkspaceId& id, double cpus) {
        model::LimitsChange change;
        change.cpus.emplace(cpus);
        change.memory_mb.emplace(512);
        run(workspaces_.update(user_, id, {.limits = change}));
        reconciler_.desire_changed(id);
        loop_.run_for(1s);
    };
    EXPECT_EQ(start(one), "");
    EXPECT_EQ(start(two), "quota_exceeded");
    halve(one, 0.5);
    halve(two, 0.5);
    EXPECT_EQ(start(two), "");
    EXPECT_EQ(word_of([&] { halve(one, 0.6); }), "quota_exceeded") << "of one that runs";
    EXPECT_EQ(word_of([&] { halve(one, 0.4); }), "");
    run(containers_.stop_workspace(user_, two, {}));
    EXPECT_EQ(word_of([&] { halve(two, 1.0); }), "") << "of one that does not";
}

// What the engine would not take from a container is not there for another.
TEST_F(QuotasTest, MemoryThatAContainerKeepsCounts) {
    allow({.memory_mb = 1024});
    const auto one = create();
    const auto two = create();
    const auto give = [&](const base::WorkspaceId& id, std::int64_t mb) {
        model::LimitsChange change;
        change.memory_mb.emplace(mb);
        run(workspaces_.update(user_, id, {.limits = change}));
        reconciler_.desire_changed(id);
        loop_.run_for(1s);
    };
    give(two, 512);
    EXPECT_EQ(start(one), "");
    auto& instance = engine_.instances().begin()->second;
    instance.memory_in_use_bytes = 900 << 20;
    give(one, 128);
    EXPECT_EQ(run(quotas_.report(user_)).use.memory_mb, 1024);
    EXPECT_EQ(start(two), "quota_exceeded");
    give(one, 1024);
    EXPECT_EQ(run(quotas_.report(user_)).use.memory_mb, 1024) << "back to where it is is no more";
    give(one, 128);
    instance.memory_in_use_bytes = 10 << 20;
    give(one, 256);
    EXPECT_EQ(run(quotas_.report(user_)).use.memory_mb, 256);
    EXPECT_EQ(start(two), "");
}

TEST_F(QuotasTest, MemoryThatWasKeptIsFreeWithTheNextStart) {
    allow({.memory_mb = 1024});
    const auto one = create();
    EXPECT_EQ(start(one), "");
    engine_.instances().begin()->second.memory_in_use_bytes = 900 << 20;
    model::LimitsChange change;
    change.memory_mb.emplace(128);
    run(workspaces_.update(user_, one, {.limits = change}));
    reconciler_.desire_changed(one);
    loop_.run_for(1s);
    run(containers_.stop_workspace(user_, one, {}));
    EXPECT_EQ(run(quotas_.report(user_)).use.memory_mb, 0);
    EXPECT_EQ(start(one), "");
    loop_.run_for(1s);
    EXPECT_EQ(run(quotas_.report(user_)).use.memory_mb, 128);
}

TEST_F(QuotasTest, VolumesAreMeasuredWhereTheyAreLimitedAndKeepWhatIsNewFromBeginning) {
    VolumeMeasurement measurement(clock_, *store_, runtime_, {});
    const auto one = create();
    const auto two = create();
    EXPECT_EQ(start(one), "");
    auto& volume =
        engine_.volumes().begin()->second;  // hers alone so far; a map's entries stay where they are
    volume.bytes = 1000;
    run(measurement.measure());
    EXPECT_FALSE(run(quotas_.report(user_)).use.volume_bytes) << "nobody's are limited";
    allow({.volume_bytes = 999});
    EXPECT_EQ(start(two), "") << "not measured yet";
    run(containers_.stop_workspace(user_, two, {}));
    run(measurement.measure());
    EXPECT_EQ(run(quotas_.report(user_)).use.volume_bytes, 1000);
    EXPECT_EQ(start(two), "quota_exceeded");
    EXPECT_EQ(word_of([&] { create(); }), "quota_exceeded");
    EXPECT_EQ(start(one), "") << "what runs goes on";
    volume.bytes = 999;
    run(measurement.measure());
    EXPECT_EQ(start(two), "");
}

TEST_F(QuotasTest, TheReportSaysWhatIsInForceAndInUse) {
    const auto one = create();
    create();
    EXPECT_EQ(start(one), "");
    QuotaChange change;
    change.running.emplace(3);
    change.cpus.emplace(1.5);
    const auto report = run(quotas_.change(user_, change));
    EXPECT_EQ(report.of_one, (model::Quota{.running = 3, .cpus = 1.5}));
    EXPECT_EQ(report.in_force, (model::Quota{.workspaces = 10, .running = 3, .cpus = 1.5}));
    EXPECT_EQ(report.use.workspaces, 2);
    EXPECT_EQ(report.use.running, 1);
    EXPECT_EQ(report.use.cpus, 1);
    EXPECT_EQ(report.use.memory_mb, 1024);
    QuotaChange back;
    back.running.emplace();
    EXPECT_EQ(run(quotas_.change(user_, back)).in_force,
              (model::Quota{.workspaces = 10, .running = 10, .cpus = 1.5}));
    EXPECT_EQ(word_of([&] { run(quotas_.report(base::UserId::generate())); }), "user_not_found");
}

}  // namespace
}  // namespace agentdb9::services
