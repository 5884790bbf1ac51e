// An engine that answers, but never ends one kind of call: an operation ends all the same, and says why.
#include "unit/services/workspace_fixture.hpp"

namespace agentdb9::services {
namespace {

class StuckRuntime : public test::SimulatedRuntime {
  public:
    StuckRuntime(test::SimulatedEngine& engine, test::SimulatedClock& its_clock, test::Random& random,
                 const test::RuntimeFaults& faults)
        : SimulatedRuntime(engine, its_clock, random, base::InstallationId::generate(), faults),
          clock(its_clock) {}
    Task<> stop_instance(std::string id, std::chrono::seconds grace) override {
        ++stops;
        if (!stuck) co_return co_await SimulatedRuntime::stop_instance(std::move(id), grace);
        throw base::Error(base::ErrorCode::kTimeout, "runtime_timeout", "It did not answer in time.");
    }
    Task<> ensure_image(std::string image,
                        std::function<void(const runtime::PullProgress&)> progress) override {
        if (!stuck) co_return co_await SimulatedRuntime::ensure_image(std::move(image), std::move(progress));
        progress({"Downloading", 40});
        co_await clock.sleep_for(5h);
    }
    bool stuck = false;
    int stops = 0;
    base::Clock& clock;
};

class HangingCalls : public WorkspaceOn<StuckRuntime> {
  protected:
    HangingCalls() { run(containers_.start_workspace(user_, workspace_, {})); }

    std::string stop(bool force) {
        return word_of([&] { run(containers_.stop_workspace(user_, workspace_, {.force = force})); });
    }
    model::Workspace row() {
        return read([id = workspace_](store::Transaction& tx) { return *tx.workspaces().find(id); });
    }
};

TEST_F(HangingCalls, AreWaitedForAsAnOutageAFewTimesOnly) {
    runtime_.stuck = true;
    EXPECT_EQ(stop(false), "runtime_unavailable") << "the first is none of the workspace's business";
    ASSERT_TRUE(loop_.run_until(
        [&] {
            return !read([id = workspace_](store::Transaction& tx) { return tx.operations().open_of(id); });
        },
        1min));
    EXPECT_EQ(runtime_.stops, 3);
    const auto last =
        read([id = workspace_](store::Transaction& tx) { return *tx.operations().latest_of(id); });
    EXPECT_EQ(last.state, model::OperationState::kFailed);
    EXPECT_EQ(last.error_code, "runtime_hangs");
    EXPECT_EQ(row().desired_state, model::DesiredState::kStopped) << "the stop stays wanted";
}

TEST_F(HangingCalls, DoNotKeepWhatIsWantedFromComingAboutLater) {
    runtime_.stuck = true;
    EXPECT_NE(stop(true), "");
    loop_.run_for(10min);
    EXPECT_EQ(engine_.instances().begin()->second.instance.state, model::InstanceState::kRunning);
    runtime_.stuck = false;
    loop_.run_for(1min);
    EXPECT_EQ(row().phase, model::Phase::kStopped);
    EXPECT_NE(engine_.instances().begin()->second.instance.state, model::InstanceState::kRunning);
    run(containers_.start_workspace(user_, workspace_, {}));
    EXPECT_EQ(row().phase, model::Phase::kRunning);
}

class EndlessPull : public HangingCalls {
  protected:
    EndlessPull() {
        run(containers_.stop_workspace(user_, workspace_, {}));
        remove();
        engine_.images().clear();
        runtime_.stuck = true;
        run(containers_.start_workspace(user_, workspace_, {.respond_async = true}));
        loop_.run_for(5s);
    }
    // What there is of it, so that the next start makes it anew.
    void remove() {
        const auto id = engine_.instances().begin()->first;
        run(runtime_.remove_instance(id));
    }
    std::optional<model::Operation> open() {
        return read([id = workspace_](store::Transaction& tx) { return tx.operations().open_of(id); });
    }
};

TEST_F(EndlessPull, IsShownAndDoesNotKeepAnybodyFromStopping) {
    ASSERT_TRUE(open());
    const auto shown = containers_.with_progress(*open());
    EXPECT_EQ(shown.phase, "pulling");
    EXPECT_EQ(shown.progress, 40);
    const auto began = clock_.steady_now();
    EXPECT_EQ(stop(false), "");
    EXPECT_LT(clock_.steady_now() - began, 5s);
    EXPECT_EQ(row().phase, model::Phase::kStopped);
    EXPECT_TRUE(engine_.instances().empty());
}

TEST_F(EndlessPull, DoesNotKeepAnybodyFromDeleting) {
    const auto began = clock_.steady_now();
    run(containers_.delete_workspace(user_, workspace_, {}));
    EXPECT_LT(clock_.steady_now() - began, 5s);
}

TEST_F(EndlessPull, EndsByItself) {
    loop_.run_for(31min);
    EXPECT_FALSE(open());
    const auto last =
        read([id = workspace_](store::Transaction& tx) { return *tx.operations().latest_of(id); });
    EXPECT_EQ(last.error_code, "image_unavailable");
    runtime_.stuck = false;
    run(containers_.start_workspace(user_, workspace_, {}));
    EXPECT_EQ(row().phase, model::Phase::kRunning);
}

}  // namespace
}  // namespace agentdb9::services
