// Commands in a workspace, on a simulated engine whose processes a test plays.
#include <gmock/gmock.h>

#include "services/execution_service.hpp"
#include "unit/services/monitoring_fixture.hpp"
#include "unit/services/played_executions.hpp"

namespace agentdb9::services {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExecutionTest : public MonitoredWorkspace {
  protected:
    ExecutionTest() {
        reconciler_.on_change([this](const base::WorkspaceId& id) { service_.changed(id); });
    }
    ~ExecutionTest() override {
        run(service_.stop());
        reconciler_.on_change({});
    }

    auth::Principal principal() const {
        return {
            .user = user_, .email = {}, .username = {}, .session = session_, .expires_at = base::Time::max()};
    }
    static CommandRequest request(base::Duration limit = 60s) {
        return {.spec = {.command = {"a"}, .directory = "/workspace", .environment = {}},
                .input = {},
                .time_limit = limit};
    }
    std::shared_ptr<CommandReader> begin(CommandRequest wanted = request()) {
        return run(service_.run(service_.pending(principal()), workspace_, std::move(wanted)));
    }
    // All that there is, and how it ended.
    std::string drain(CommandReader& reader) {
        std::string all;
        while (auto piece = run(reader.next()))
            all += piece->bytes;
        return all;
    }
    void pass(base::Duration time) { run(clock_.sleep_for(time)); }
    Process& last() { return *stage_.processes.back(); }
    // Ends whatever happens.
    static void dies(Process& process, Execution::Force) { process.exit(143); }
    static void dies_when_killed(Process& process, Execution::Force force) {
        if (force == Execution::Force::kKill) process.exit(137);
    }

    base::SessionId session_ = base::SessionId::generate();
    Stage stage_{loop_.executor()};
    ExecutionService service_{loop_.executor(), clock_, stage_, finder_, {.per_workspace = 2, .per_user = 3}};
};

TEST_F(ExecutionTest, TellsWhatIsPrintedAndHowItEnded) {
    auto wanted = request();
    wanted.spec.input = true;
    wanted.input = "input";
    const auto reader = begin(std::move(wanted));
    EXPECT_THAT(stage_.instances, ElementsAre(instance_));
    last().print("one ");
    last().print("two");
    last().exit(3);
    EXPECT_EQ(drain(*reader), "one two");
    EXPECT_EQ(reader->how_it_ended().exit_code, 3);
    EXPECT_EQ(reader->how_it_ended().ending, CommandEnding::kItself);
    EXPECT_EQ(last().input, "input");
    EXPECT_TRUE(last().input_ended);
    EXPECT_THAT(last().signals, IsEmpty());
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(ExecutionTest, TheTimeLimitAsksAndThenKills) {
    stage_.on_signal = dies_when_killed;
    const auto reader = begin(request(5s));
    const auto before = clock_.steady_now();
    last().print("begun");
    EXPECT_EQ(drain(*reader), "begun");
    EXPECT_EQ(clock_.steady_now() - before, 7s);
    EXPECT_THAT(last().signals, ElementsAre(Execution::Force::kAsk, Execution::Force::kKill));
    EXPECT_EQ(reader->how_it_ended().ending, CommandEnding::kTimeLimit);
    EXPECT_EQ(reader->how_it_ended().exit_code, 137);
}

TEST_F(ExecutionTest, WhatCannotBeEndedIsToldSo) {
    const auto reader = begin(request(1s));
    drain(*reader);
    EXPECT_TRUE(reader->how_it_ended().left_running);
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(ExecutionTest, OneInAPausedWorkspaceIsEndedAfterThePause) {
    const auto thaws = clock_.steady_now() + 60s;
    std::vector<Execution::Force> heard;
    stage_.on_signal = [&](Process& process, Execution::Force force) {
        if (clock_.steady_now() < thaws) throw base::conflict("instance_paused", "It is frozen.");
        heard.push_back(force);
        process.exit(143);
    };
    const auto reader = begin(request(1s));
    drain(*reader);
    EXPECT_FALSE(reader->how_it_ended().left_running);
    EXPECT_EQ(reader->how_it_ended().exit_code, 143);
    EXPECT_THAT(heard, ElementsAre(Execution::Force::kAsk, Execution::Force::kKill))
        << "asked first, as ever, and then what it has left behind";
    EXPECT_LT(clock_.steady_now(), thaws + 1s);
}

TEST_F(ExecutionTest, APauseThatDoesNotEndIsNotWaitedForForEver) {
    stage_.on_signal = [](Process&, Execution::Force) {
        throw base::conflict("instance_paused", "It is frozen.");
    };
    const auto before = clock_.steady_now();
    const auto reader = begin(request(1s));
    drain(*reader);
    EXPECT_TRUE(reader->how_it_ended().left_running);
    EXPECT_LT(clock_.steady_now() - before, 2min);
}

TEST_F(ExecutionTest, EndsAMomentAfterItsReaderHasGone) {
    stage_.on_signal = dies;
    auto reader = begin(request(1h));
    pass(10s);
    EXPECT_THAT(last().signals, IsEmpty());
    reader.reset();
    pass(1s);
    EXPECT_THAT(last().signals, ElementsAre(Execution::Force::kAsk, Execution::Force::kKill))
        << "what it has left behind, too";
    EXPECT_EQ(service_.running(), 0U);
    EXPECT_FALSE(last().held);
}

TEST_F(ExecutionTest, OneWhoGoesBeforeItHasBegunLeavesNothingEither) {
    stage_.on_signal = dies;
    stage_.slow = true;
    const auto answered = run(
        base::with_timeout(clock_, 2s, service_.run(service_.pending(principal()), workspace_, request(1h))));
    EXPECT_FALSE(answered);
    stage_.let_on();
    pass(1s);
    EXPECT_THAT(last().signals, ElementsAre(Execution::Force::kAsk, Execution::Force::kKill));
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(ExecutionTest, ASlowReaderMakesItWait) {
    stage_.on_signal = dies;
    const auto reader = begin(request(1h));
    const std::string piece(32 << 10, 'x');
    for (int i = 0; i < 100; ++i)
        last().print(piece);
    pass(1s);
    EXPECT_GE(last().output.size(), 90U);
    last().exit(0);
    EXPECT_EQ(drain(*reader).size(), 100 * piece.size());
    EXPECT_EQ(reader->how_it_ended().dropped_bytes, 0U);
}

TEST_F(ExecutionTest, ASlowReaderKeepsNothingFromEnding) {
    const std::string piece(32 << 10, 'x');
    stage_.on_signal = dies;
    const auto reader = begin(request(5s));
    for (int i = 0; i < 100; ++i)
        last().print(piece);
    pass(10s);
    EXPECT_EQ(service_.running(), 0U);
    EXPECT_LT(drain(*reader).size(), 100 * piece.size());
    EXPECT_GT(reader->how_it_ended().dropped_bytes, 0U);
}

TEST_F(ExecutionTest, EndsWithThePermission) {
    stage_.on_signal = dies;
    const auto one = begin(request(1h));
    service_.revoke(
        {.user = {}, .session = base::SessionId::generate(), .api_token = {}, .except_session = {}});
    pass(1s);
    EXPECT_EQ(service_.running(), 1U) << "another's";
    service_.revoke({.user = {}, .session = session_, .api_token = {}, .except_session = {}});
    drain(*one);
    EXPECT_EQ(one->how_it_ended().ending, CommandEnding::kSignedOut);
    auto until = principal();
    until.ends_at = clock_.now() + 10s;
    const auto two = run(service_.run(service_.pending(until), workspace_, request(1h)));
    const auto before = clock_.steady_now();
    drain(*two);
    EXPECT_EQ(two->how_it_ended().ending, CommandEnding::kSignedOut);
    EXPECT_LE(clock_.steady_now() - before, 11s);
}

TEST_F(ExecutionTest, DoesNotBeginWhereThePermissionEndsBeforeIt) {
    auto who = service_.pending(principal());
    service_.revoke({.user = {}, .session = session_, .api_token = {}, .except_session = {}});
    EXPECT_EQ(word_of([&] { run(service_.run(std::move(who), workspace_, request())); }), "token_revoked");
    EXPECT_THAT(stage_.instances, IsEmpty());
    auto another = service_.pending(principal());
    service_.revoke(
        {.user = {}, .session = base::SessionId::generate(), .api_token = {}, .except_session = {}});
    const auto reader = run(service_.run(std::move(another), workspace_, request()));
    last().exit(0);
    drain(*reader);
    EXPECT_EQ(reader->how_it_ended().exit_code, 0);
}

TEST_F(ExecutionTest, EndsWithItsWorkspace) {
    const auto reader = begin(request(1h));
    run(containers_.stop_workspace(user_, workspace_, {}));
    // As the kernel does with what is left in a container.
    last().exit(137);
    drain(*reader);
    EXPECT_EQ(reader->how_it_ended().ending, CommandEnding::kWorkspaceStopped);
    EXPECT_EQ(reader->how_it_ended().exit_code, std::nullopt);
    EXPECT_EQ(word_of([&] { begin(); }), "workspace_not_running");
}

TEST_F(ExecutionTest, WhenTheLastOneBeganIsRememberedAsLongAsThereIsTheWorkspace) {
    const auto reader = begin();
    const auto began = clock_.now();
    pass(10s);
    EXPECT_EQ(service_.last_activity(workspace_), clock_.now());
    last().exit(0);
    drain(*reader);
    pass(1h);
    EXPECT_EQ(service_.last_activity(workspace_), began);
    run(containers_.delete_workspace(user_, workspace_, {}));
    pass(1s);
    EXPECT_EQ(service_.last_activity(workspace_), std::nullopt);
}

TEST_F(ExecutionTest, OneThatIsKilledInALivingWorkspaceEndedByItself) {
    const auto reader = begin();
    last().exit(137);
    drain(*reader);
    EXPECT_EQ(reader->how_it_ended().ending, CommandEnding::kItself);
    EXPECT_EQ(reader->how_it_ended().exit_code, 137);
}

TEST_F(ExecutionTest, OnlySoManyAtOnce) {
    stage_.on_signal = dies;
    auto one = begin(request(1h));
    auto two = begin(request(1h));
    EXPECT_EQ(word_of([&] { begin(); }), "too_many_executions");
    one.reset();
    pass(1s);
    EXPECT_NO_THROW(begin());
}

TEST_F(ExecutionTest, AnothersWorkspaceIsNotThere) {
    auto stranger = principal();
    stranger.user = base::UserId::generate();
    EXPECT_EQ(word_of([&] { run(service_.run(service_.pending(stranger), workspace_, request())); }),
              "workspace_not_found");
    EXPECT_THAT(stage_.instances, IsEmpty());
}

TEST_F(ExecutionTest, ARefusalIsToldAndLeavesNothing) {
    stage_.refusal = "no_shell";
    EXPECT_EQ(word_of([&] { begin(); }), "no_shell");
    stage_.refusal = "instance_not_running";
    EXPECT_EQ(word_of([&] { begin(); }), "workspace_not_running");
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(ExecutionTest, ALostEngineIsToldAtOnceAndTheCommandStillEnded) {
    const auto reader = begin(request(1h));
    last().print("some");
    pass(1s);
    const auto before = clock_.steady_now();
    last().broken = true;
    last().changed.notify_all();
    EXPECT_EQ(word_of([&] { drain(*reader); }), "runtime_unavailable");
    EXPECT_LT(clock_.steady_now() - before, 1s);
    EXPECT_EQ(service_.running(), 1U) << "it goes on, as far as is known";
    dies(last(), Execution::Force::kKill);
    pass(1min);
    EXPECT_FALSE(last().signals.empty());
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(ExecutionTest, EndsWithTheServer) {
    stage_.on_signal = dies;
    const auto reader = begin(request(1h));
    run(service_.stop());
    drain(*reader);
    EXPECT_EQ(reader->how_it_ended().ending, CommandEnding::kShuttingDown);
    EXPECT_EQ(word_of([&] { begin(); }), "shutting_down");
}

}  // namespace
}  // namespace agentdb9::services
