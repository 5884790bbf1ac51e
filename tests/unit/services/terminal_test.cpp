// Terminals, on a simulated engine whose processes a test plays.
#include <gmock/gmock.h>

#include "services/terminal_service.hpp"
#include "unit/services/monitoring_fixture.hpp"
#include "unit/services/played_executions.hpp"

namespace agentdb9::services {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TerminalTest : public MonitoredWorkspace {
  protected:
    TerminalTest() {
        stage_.on_signal = [](Process& process, Execution::Force) { process.exit(129); };
        reconciler_.on_change([this](const base::WorkspaceId& id) { service_.changed(id); });
    }
    ~TerminalTest() override {
        run(service_.stop());
        reconciler_.on_change({});
    }

    auth::Principal principal(std::optional<base::SessionId> session = {}) const {
        return {.user = user_,
                .email = {},
                .username = {},
                .session = session ? session : session_,
                .expires_at = base::Time::max()};
    }
    std::shared_ptr<TerminalAttachment> open(TerminalStart start = {}) {
        return run(service_.open(service_.pending(principal()), workspace_, std::move(start)));
    }
    void pass(base::Duration time) { run(clock_.sleep_for(time)); }
    Process& last() { return *stage_.processes.back(); }
    std::string error_of(TerminalStart start) {
        return word_of([&] { open(std::move(start)); });
    }

    base::SessionId session_ = base::SessionId::generate();
    Stage stage_{loop_.executor()};
    TerminalService service_{
        loop_.executor(), clock_, stage_, finder_, {.per_workspace = 2, .per_user = 3, .keep = 60s}};
};

TEST_F(TerminalTest, IsAShellOfTheSizeThatIsAskedFor) {
    const auto attachment = open({.size = {120, 40}, .session = {}});
    EXPECT_EQ(last().spec.terminal->columns, 120);
    EXPECT_EQ(last().spec.terminal->rows, 40);
    EXPECT_TRUE(last().spec.input);
    EXPECT_THAT(stage_.instances, ElementsAre(instance_));
    run(attachment->terminal->input(attachment, "ls\n"));
    run(attachment->terminal->input(attachment, "exit\n"));
    pass(1ms);
    EXPECT_EQ(last().input, "ls\nexit\n");
    EXPECT_EQ(attachment->terminal->input_bytes(), 8U);
}

TEST_F(TerminalTest, OneThatHasEndedKeepsNoInput) {
    const auto attachment = open();
    service_.end(workspace_, attachment->terminal->facts().id);
    pass(1s);
    ASSERT_TRUE(attachment->terminal->how_it_ended());
    for (int i = 0; i < 100; ++i)
        run(attachment->terminal->input(attachment, std::string(Terminal::kMostInput, 'x')));
    EXPECT_EQ(attachment->terminal->input_bytes(), 0U) << "what is counted is kept";
}

TEST_F(TerminalTest, TheProgramWaitsWhileNobodyTakesItsOutputAndNoneOfItIsLost) {
    const auto attachment = open();
    auto& terminal = *attachment->terminal;
    std::string all;
    for (int i = 0; i < 100; ++i) {
        all += std::string(10'007, static_cast<char>('a' + i % 26));
        last().print(std::string(10'007, static_cast<char>('a' + i % 26)));
    }
    pass(1s);
    EXPECT_EQ(terminal.output().begin(), 0U) << "nothing that nobody has is dropped";
    EXPECT_EQ(terminal.output().end(), Terminal::kRingBytes);
    EXPECT_FALSE(last().output.empty());
    std::string seen;
    while (seen.size() < all.size()) {
        const auto piece = terminal.output().read(seen.size(), 30'000);
        ASSERT_FALSE(piece.empty()) << seen.size();
        seen += piece;
        terminal.passed(seen.size());
        pass(1ms);
        ASSERT_LE(terminal.output().begin(), seen.size());
    }
    EXPECT_EQ(seen, all);
}

TEST_F(TerminalTest, ABrokenConnectionIsWaitedForAsLongAsItIsKept) {
    auto attachment = open();
    const auto id = attachment->terminal->facts().id;
    attachment.reset();
    pass(50s);
    attachment = open({.size = {}, .session = id});
    pass(1h);
    EXPECT_THAT(last().signals, IsEmpty()) << "somebody is there";
    attachment.reset();
    pass(62s);
    EXPECT_THAT(last().signals, SizeIs(1));
    EXPECT_EQ(error_of({.size = {}, .session = id}), "terminal_not_found");
    EXPECT_EQ(service_.running(), 0U);
    EXPECT_FALSE(last().held);
}

TEST_F(TerminalTest, AnEndWhileNobodyIsThereIsKeptToBeTold) {
    auto attachment = open();
    const auto id = attachment->terminal->facts().id;
    attachment.reset();
    last().print("bye");
    last().exit(5);
    pass(30s);
    attachment = open({.size = {}, .session = id});
    EXPECT_EQ(attachment->terminal->output().read(0, 10), "bye");
    EXPECT_EQ(attachment->terminal->how_it_ended()->exit_code, 5);
    attachment->terminal->told();
    pass(1s);
    EXPECT_EQ(error_of({.size = {}, .session = id}), "terminal_not_found");
}

TEST_F(TerminalTest, WhoComesLastHasIt) {
    const auto first = open();
    const auto second = open({.size = {}, .session = first->terminal->facts().id});
    EXPECT_TRUE(first->taken_over);
    EXPECT_FALSE(second->taken_over);
    EXPECT_EQ(service_.running(), 1U);
}

TEST_F(TerminalTest, WhatWaitsToBeTakenIsDroppedWhereAnotherTakesOver) {
    const auto first = open();
    auto& terminal = *first->terminal;
    last().reads = false;
    run(terminal.input(first, "a"));
    pass(1ms);
    run(terminal.input(first, std::string(Terminal::kMostInput, 'b')));
    const auto received = terminal.input_bytes();
    base::Scope waiting(loop_.executor());
    waiting.spawn("input", terminal.input(first, "c"));
    pass(1s);
    EXPECT_EQ(terminal.input_bytes(), received) << "it waits";
    // Whoever comes is told that it has not come, and sends it.
    const auto second = open({.size = {}, .session = terminal.facts().id});
    EXPECT_EQ(terminal.input_bytes(), received);
    last().read_on();
    run(terminal.input(second, "c"));
    pass(1s);
    EXPECT_EQ(last().input, "a" + std::string(Terminal::kMostInput, 'b') + "c");
    run(waiting.close());
}

TEST_F(TerminalTest, EndsWithThePermissionOfWhoeverCameLast) {
    const auto first = open();
    const auto other = base::SessionId::generate();
    const auto second = run(service_.open(service_.pending(principal(other)), workspace_,
                                          {.size = {}, .session = first->terminal->facts().id}));
    service_.revoke({.user = {}, .session = session_, .api_token = {}, .except_session = {}});
    pass(1s);
    EXPECT_FALSE(second->terminal->how_it_ended());
    service_.revoke({.user = {}, .session = other, .api_token = {}, .except_session = {}});
    pass(1s);
    EXPECT_EQ(second->terminal->how_it_ended()->ending, CommandEnding::kSignedOut);
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(TerminalTest, IsNotOpenedWhereThePermissionEndsBeforeIt) {
    const auto first = open();
    const auto session = base::SessionId::generate();
    auto who = service_.pending(principal(session));
    auto another = service_.pending(principal(session));
    service_.revoke({.user = {}, .session = session, .api_token = {}, .except_session = {}});
    EXPECT_EQ(word_of([&] { run(service_.open(std::move(who), workspace_, {})); }), "token_revoked");
    EXPECT_EQ(word_of([&] {
                  run(service_.open(std::move(another), workspace_,
                                    {.size = {}, .session = first->terminal->facts().id}));
              }),
              "token_revoked");
    EXPECT_THAT(stage_.instances, SizeIs(1));
    EXPECT_FALSE(first->taken_over);
}

TEST_F(TerminalTest, EndsWithItsWorkspaceAndByACall) {
    const auto attachment = open();
    run(containers_.stop_workspace(user_, workspace_, {}));
    last().exit(137);
    pass(1s);
    EXPECT_EQ(attachment->terminal->how_it_ended()->ending, CommandEnding::kWorkspaceStopped);
    start();
    const auto another = open();
    EXPECT_EQ(word_of([&] { service_.end(workspace_, "x"); }), "terminal_not_found");
    EXPECT_EQ(word_of([&] { service_.end(base::WorkspaceId::generate(), another->terminal->facts().id); }),
              "terminal_not_found");
    service_.end(workspace_, another->terminal->facts().id);
    pass(1s);
    EXPECT_EQ(another->terminal->how_it_ended()->ending, CommandEnding::kAsked);
}

TEST_F(TerminalTest, OneThatNobodyHasIsGoneOnceACallHasEndedIt) {
    auto attachment = open();
    const auto id = attachment->terminal->facts().id;
    attachment.reset();
    service_.end(workspace_, id);
    pass(2s);
    EXPECT_THAT(service_.of_workspace(workspace_), IsEmpty());
    EXPECT_EQ(service_.running(), 0U);
    // Also where it had ended before.
    attachment = open();
    const auto ended = attachment->terminal->facts().id;
    attachment.reset();
    last().exit(0);
    pass(2s);
    ASSERT_THAT(service_.of_workspace(workspace_), SizeIs(1));
    service_.end(workspace_, ended);
    pass(2s);
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(TerminalTest, AnEndThatNobodyHasHeardOfIsForgottenWhereItsPlaceIsNeeded) {
    auto first = open();
    const auto first_id = first->terminal->facts().id;
    first.reset();
    last().exit(1);
    pass(1s);
    auto second = open();
    const auto second_id = second->terminal->facts().id;
    second.reset();
    last().exit(2);
    pass(1s);
    const auto third = open();
    EXPECT_EQ(error_of({.size = {}, .session = first_id}), "terminal_not_found");
    EXPECT_EQ(open({.size = {}, .session = second_id})->terminal->how_it_ended()->exit_code, 2);
    const auto fourth = open();
    EXPECT_EQ(error_of({}), "too_many_terminals") << "two that go on";
}

TEST_F(TerminalTest, WithItsWorkspaceEverythingOfItGoes) {
    auto left = open();
    left.reset();
    auto had = open();
    run(containers_.delete_workspace(user_, workspace_, {}));
    for (const auto& process : stage_.processes)
        process->exit(137);
    pass(2s);
    EXPECT_THAT(service_.of_workspace(workspace_), SizeIs(1));
    EXPECT_EQ(had->terminal->how_it_ended()->ending, CommandEnding::kWorkspaceStopped);
    had.reset();
    pass(2s);
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(TerminalTest, AnEndIsNotKeptForWhoeverHasSignedOut) {
    auto attachment = open();
    attachment.reset();
    last().exit(0);
    pass(2s);
    ASSERT_EQ(service_.running(), 1U);
    service_.revoke({.user = {}, .session = session_, .api_token = {}, .except_session = {}});
    pass(1s);
    EXPECT_EQ(service_.running(), 0U);
}

TEST_F(TerminalTest, OnlySoManyAtOnce) {
    const auto one = open();
    const auto two = open();
    EXPECT_EQ(error_of({}), "too_many_terminals");
    EXPECT_THAT(service_.of_workspace(workspace_), SizeIs(2));
}

TEST_F(TerminalTest, EndsWithTheServer) {
    const auto attachment = open();
    run(service_.stop());
    EXPECT_EQ(attachment->terminal->how_it_ended()->ending, CommandEnding::kShuttingDown);
    EXPECT_EQ(error_of({}), "shutting_down");
}

}  // namespace
}  // namespace agentdb9::services
