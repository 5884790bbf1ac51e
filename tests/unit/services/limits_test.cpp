// What a workspace may use, from the request to what its instance has.
#include "services/limits_service.hpp"

#include <gmock/gmock.h>

#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"
#include "support/simulation/runtime.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMb = 1024 * 1024;

class RefusingRuntime : public test::SimulatedRuntime {
  public:
    using SimulatedRuntime::SimulatedRuntime;
    Task<runtime::LimitsUpdate> update_limits(std::string id, model::ResourceLimits limits) override {
        ++updates;
        if (refuses) throw base::Error(base::ErrorCode::kUpstream, "runtime_error", "No.");
        if (drops_pids) limits.pids = 512;
        co_return co_await SimulatedRuntime::update_limits(std::move(id), limits);
    }
    bool refuses = false;
    bool drops_pids = false;
    int updates = 0;
};

class LimitsTest : public ServicesTest {
  protected:
    LimitsTest() {
        routes_.set_publisher([](auto) -> Task<> { co_return; });
        for (const auto& type : catalogue_.all())
            engine_.images().insert(type.container_image);
        write([user = user_](store::Transaction& tx) {
            model::User row{.id = user};
            row.email = "ada@example.test";
            tx.users().insert(row);
        });
        run(reconciler_.start());
        workspace_ = run(workspaces_.create(user_, {.type = "vscode"})).id;
    }
    ~LimitsTest() override { run(reconciler_.stop()); }

    static std::vector<model::WorkspaceType> types() {
        auto all = model::built_in_types();
        all.front().maximum_limits = {.cpus = 4, .memory_mb = 4096, .shm_mb = 256};
        return all;
    }
    void start() { run(containers_.start_workspace(user_, workspace_, {})); }
    void stop() { run(containers_.stop_workspace(user_, workspace_, {})); }
    LimitsService::Pending set(model::LimitsChange change) {
        return run(limits_.apply(run(workspaces_.update(user_, workspace_, {.limits = change}))));
    }
    static model::LimitsChange memory(std::int64_t mb) {
        model::LimitsChange change;
        change.memory_mb.emplace(mb);
        return change;
    }
    const test::EngineInstance& instance() {
        EXPECT_EQ(engine_.instances().size(), 1U);
        return engine_.instances().begin()->second;
    }
    test::EngineInstance& changeable() { return engine_.instances().begin()->second; }
    model::Workspace row() {
        return read([id = workspace_](store::Transaction& tx) { return *tx.workspaces().find(id); });
    }

    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    RefusingRuntime runtime_{engine_, clock_, random_, base::InstallationId::generate(), faults_};
    model::Catalogue catalogue_{types()};
    RouteBook routes_{catalogue_};
    Reconciler reconciler_{loop_.executor(), clock_, *store_, runtime_, catalogue_, routes_, {}};
    WorkspaceContainerService containers_{clock_, *store_, runtime_, reconciler_, routes_, catalogue_};
    WorkspacesService workspaces_{clock_, *store_, routes_, catalogue_};
    LimitsService limits_{clock_, reconciler_, catalogue_};
    base::UserId user_ = base::UserId::generate();
    base::WorkspaceId workspace_ = base::WorkspaceId::generate();
};

TEST_F(LimitsTest, WhatRunsIsGivenOthersAsItIs) {
    start();
    const auto before = instance().instance.id;
    EXPECT_THAT(set(memory(1000)).fields, IsEmpty());
    EXPECT_EQ(instance().instance.id, before);
    EXPECT_EQ(instance().starts, 1);
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
    EXPECT_THAT(set({.reset = true}).fields, IsEmpty());
    EXPECT_EQ(instance().spec.limits.memory_mb, 2048);
    EXPECT_EQ(instance().instance.id, before);
    EXPECT_EQ(row().phase, model::Phase::kRunning);
    EXPECT_EQ(read([id = workspace_](store::Transaction& tx) {
                  return tx.operations().of_workspace(id);
              }).rows.size(),
              1U)
        << "it is no operation";
}

TEST_F(LimitsTest, WhatIsStoppedHasThemAtItsNextStartAndIsNotMadeAnewForThem) {
    start();
    const auto before = instance().instance.id;
    stop();
    EXPECT_THAT(set(memory(1000)).fields, IsEmpty());
    EXPECT_EQ(instance().spec.limits.memory_mb, 2048);
    start();
    EXPECT_EQ(instance().instance.id, before);
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
}

TEST_F(LimitsTest, WhatAnInstanceIsMadeWithWaitsForTheNextStart) {
    start();
    const auto before = instance().instance.id;
    model::LimitsChange change = memory(1000);
    change.shm_mb.emplace(128);
    EXPECT_THAT(set(change).fields, ElementsAre("shmSize"));
    loop_.run_for(5min);
    EXPECT_EQ(instance().instance.id, before) << "what runs goes on";
    EXPECT_EQ(instance().spec.limits.shm_mb, 64);
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
    EXPECT_THAT(limits_.pending(row()).fields, ElementsAre("shmSize"));
    stop();
    start();
    EXPECT_NE(instance().instance.id, before);
    EXPECT_EQ(instance().spec.limits.shm_mb, 128);
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
    EXPECT_THAT(limits_.pending(row()).fields, IsEmpty());
}

TEST_F(LimitsTest, LessMemoryThanItUsesWaitsAndSaysSo) {
    start();
    changeable().memory_in_use_bytes = 1200 * kMb;
    auto change = memory(1000);
    change.cpus.emplace(1.0);
    const auto pending = set(change);
    EXPECT_THAT(pending.fields, testing::Contains("memory"));
    EXPECT_THAT(pending.problem, HasSubstr("uses 1200 MB"));
    EXPECT_EQ(instance().spec.limits.memory_mb, 2048);
    EXPECT_EQ(instance().spec.limits.cpus, 1) << "the rest is in force";
    const auto told = runtime_.updates;
    loop_.run_for(10min);
    EXPECT_EQ(runtime_.updates, told) << "it is not told over and over";
    changeable().memory_in_use_bytes = 100 * kMb;
    stop();
    start();
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
}

TEST_F(LimitsTest, AnEngineThatRefusesEndsNothing) {
    start();
    runtime_.refuses = true;
    const auto pending = set(memory(1000));
    EXPECT_THAT(pending.fields, ElementsAre("memory"));
    EXPECT_THAT(pending.problem, HasSubstr("did not take"));
    loop_.run_for(10min);
    EXPECT_LE(runtime_.updates, 11) << "once a minute";
    EXPECT_EQ(row().phase, model::Phase::kRunning);
    EXPECT_EQ(row().desired_state, model::DesiredState::kRunning);
    EXPECT_EQ(instance().starts, 1);
    runtime_.refuses = false;
    EXPECT_THAT(set(memory(999)).fields, IsEmpty()) << "another wish is told at once";
    runtime_.refuses = true;
    EXPECT_THAT(set(memory(998)).fields, ElementsAre("memory"));
    runtime_.refuses = false;
    loop_.run_for(2min);
    EXPECT_EQ(instance().spec.limits.memory_mb, 998) << "and the same one in a while";
}

TEST_F(LimitsTest, AnEngineThatKeepsSomethingElseIsToldOnce) {
    start();
    runtime_.drops_pids = true;
    model::LimitsChange change;
    change.pids.emplace(100);
    EXPECT_THAT(set(change).fields, ElementsAre("pids"));
    loop_.run_for(10min);
    EXPECT_EQ(runtime_.updates, 1);
}

TEST_F(LimitsTest, WhatSomebodyElseChangedIsPutRight) {
    start();
    set(memory(1000));
    changeable().spec.limits.memory_mb = 3000;
    loop_.run_for(5min);
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
}

TEST_F(LimitsTest, BoundsAreToldByFieldAndNothingIsKept) {
    auto change = memory(5000);
    change.cpus.emplace(4.5);
    try {
        set(change);
        FAIL() << "it was taken";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kInvalid);
        ASSERT_EQ(error.fields().size(), 2U);
        EXPECT_EQ(error.fields()[0].field, "resourceLimits.cpus");
        EXPECT_THAT(error.fields()[1].problem, HasSubstr("6 to 4096 MB"));
    }
    EXPECT_TRUE(row().limits.empty());
    EXPECT_EQ(word_of([&] { run(workspaces_.create(user_, {.type = "vscode", .limits = memory(5000)})); }),
              "invalid_field");
}

TEST_F(LimitsTest, BoundsThatAreLoweredHoldAndKeepNothingElseFromBeingSet) {
    write([id = workspace_](store::Transaction& tx) {
        auto row = *tx.workspaces().find(id);
        row.limits = {.memory_mb = 9000, .ulimits = {{"nofile", 9}}};  // once, these were possible
        tx.workspaces().update(row);
    });
    start();
    EXPECT_EQ(instance().spec.limits.memory_mb, 4096);
    EXPECT_THAT(instance().spec.limits.ulimits, IsEmpty());
    model::LimitsChange change;
    change.cpus.emplace(3.0);
    EXPECT_THAT(set(change).fields, IsEmpty());
    EXPECT_EQ(instance().spec.limits.cpus, 3);
    EXPECT_EQ(word_of([&] { set(memory(9001)); }), "invalid_field");
}

TEST_F(LimitsTest, AReplacementHasThemFromTheBeginning) {
    start();
    set(memory(1000));
    run(containers_.restart_workspace(user_, workspace_, {}));
    loop_.run_for(1min);
    EXPECT_EQ(instance().spec.limits.memory_mb, 1000);
    EXPECT_EQ(instance().instance.generation, 2);
}

}  // namespace
}  // namespace agentdb9::services
