// What a terminal's connection tells and hears, in virtual time.
#include "api/terminal_link.hpp"

#include <gmock/gmock.h>

#include "support/virtual_clock.hpp"
#include "unit/services/played_executions.hpp"

namespace agentdb9::api {
namespace {

using namespace std::chrono_literals;
using Kind = http::WebSocketMessage::Kind;
using services::Process;
using testing::HasSubstr;

// Of a close frame: 1000.
constexpr std::string_view kNormal("\x03\xe8", 2);

class TerminalLinkTest : public testing::Test {
  protected:
    TerminalLinkTest() {
        stage_.on_signal = [](Process& process, runtime::Execution::Force) { process.exit(129); };
        scope_.spawn("terminal", terminal_->run(scope_));
        run(terminal_->begun());
        attach();
    }
    ~TerminalLinkTest() override { run(scope_.close()); }

    template <class T>
    T run(Task<T> task) {
        return test::drive(context_, clock_, std::move(task));
    }
    void attach(std::optional<std::uint64_t> after = {}) {
        link_ =
            std::make_unique<TerminalLink>(clock_, terminal_->attach(terminal_->facts().principal), after);
        EXPECT_THAT(next().at(0).bytes, HasSubstr("\"ready\""));
    }
    // The messages of the next piece; empty at the end.
    std::vector<http::WebSocketMessage> next() {
        std::vector<http::WebSocketMessage> all;
        const auto piece = run(link_->next());
        http::WebSocketReader reader(http::WebSocketSide::kClient, 1 << 20);
        reader.push(piece.value_or(std::string()));
        while (auto message = reader.next())
            all.push_back(std::move(*message));
        return all;
    }
    bool say(Kind kind, std::string_view bytes) {
        return run(link_->take(http::websocket_frame(kind, bytes, 7)));
    }
    Process& process() { return *stage_.processes.back(); }
    void print(std::size_t bytes) {
        for (; bytes > 0; bytes -= std::min<std::size_t>(bytes, 10'000))
            process().print(std::string(std::min<std::size_t>(bytes, 10'000), 'x'));
    }
    void pass(base::Duration time) { run(clock_.sleep_for(time)); }

    test::VirtualClock clock_;
    asio::io_context context_;
    services::Stage stage_{context_.get_executor()};
    std::shared_ptr<services::Terminal> terminal_ = std::make_shared<services::Terminal>(
        context_.get_executor(), clock_, stage_,
        services::Terminal::Facts{.id = "t",
                                  .workspace = base::WorkspaceId::generate(),
                                  .principal = {.user = base::UserId::generate(),
                                                .email = {},
                                                .username = {},
                                                .expires_at = base::Time::max()},
                                  .instance = "i",
                                  .created_at = {},
                                  .keep = 60s,
                                  .instance_is_gone = []() -> Task<bool> { co_return false; }},
        runtime::TerminalSize{});
    std::unique_ptr<TerminalLink> link_;
    base::Scope scope_{context_.get_executor()};
};

TEST_F(TerminalLinkTest, OneThatAnswersPingsIsThere) {
    for (int i = 0; i < 20; ++i) {
        const auto before = clock_.steady_now();
        ASSERT_EQ(next().at(0).kind, Kind::kPing) << i;
        EXPECT_EQ(clock_.steady_now() - before, 25s);
        EXPECT_TRUE(say(Kind::kPong, ""));
    }
}

TEST_F(TerminalLinkTest, OneThatDoesNotIsGone) {
    const auto before = clock_.steady_now();
    int pings = 0;
    while (!next().empty())
        ++pings;
    EXPECT_EQ(pings, 3);
    EXPECT_EQ(clock_.steady_now() - before, 80s);
}

TEST_F(TerminalLinkTest, OneThatOnlyListensIsThere) {
    for (int i = 0; i < 100; ++i) {
        process().print("more");
        ASSERT_EQ(next().at(0).bytes, "more") << i;
        pass(5s);
    }
    EXPECT_EQ(next().at(0).kind, Kind::kPing) << "the first in all that time";
}

TEST_F(TerminalLinkTest, WhatIsNotAcknowledgedIsKept) {
    EXPECT_TRUE(say(Kind::kText, R"({"type":"ack","offset":0})"));
    print(1 << 20);
    std::uint64_t sent = 0;
    while (true) {
        const auto all = next();
        if (all.at(0).kind != Kind::kBinary) break;
        sent += all.at(0).bytes.size();
    }
    EXPECT_EQ(sent, services::Terminal::kRingBytes) << "the program waits";
    EXPECT_TRUE(say(Kind::kText, R"({"type":"ack","offset":100000})"));
    EXPECT_EQ(next().at(0).kind, Kind::kBinary);
    EXPECT_EQ(terminal_->output().begin(), 100'000U);
    // All that was on its way is lost, and nothing is missing.
    attach(100'000);
    EXPECT_EQ(next().at(0).bytes, std::string(16 << 10, 'x'));
}

TEST_F(TerminalLinkTest, OneThatComesWithLessThanThereIsIsToldHowMuchIsMissing) {
    print(400'000);
    for (std::uint64_t sent = 0; sent < 400'000;)
        sent += next().at(0).bytes.size();
    link_ = std::make_unique<TerminalLink>(clock_, terminal_->attach(terminal_->facts().principal), 0);
    EXPECT_THAT(next().at(0).bytes,
                HasSubstr("\"skipped\":" + std::to_string(400'000 - services::Terminal::kRingBytes)));
}

TEST_F(TerminalLinkTest, EndsWithTheProgramAndItsCode) {
    process().print("bye");
    process().exit(3);
    EXPECT_EQ(next().at(0).bytes, "bye");
    const auto last = next();
    ASSERT_EQ(last.size(), 2U);
    EXPECT_THAT(last[0].bytes, HasSubstr("\"exitCode\":3"));
    EXPECT_EQ(last[1].code, 1000);
    EXPECT_FALSE(terminal_->is_gone()) << "it may be lost on its way";
    const auto before = clock_.steady_now();
    EXPECT_FALSE(say(Kind::kClose, kNormal));
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(clock_.steady_now(), before);
    EXPECT_TRUE(terminal_->is_gone());
}

TEST_F(TerminalLinkTest, AnEndThatTheClientDoesNotAnswerIsKeptForAnotherConnection) {
    process().print("bye");
    process().exit(3);
    EXPECT_EQ(next().at(0).bytes, "bye");
    EXPECT_THAT(next().at(0).bytes, HasSubstr("\"exitCode\":3"));
    EXPECT_TRUE(say(Kind::kText, R"({"type":"ack","offset":3})")) << "which was on its way before";
    const auto before = clock_.steady_now();
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(clock_.steady_now() - before, 55s) << "then it is given up";
    EXPECT_FALSE(say(Kind::kBinary, "more"));
    link_.reset();
    pass(30s);
    EXPECT_FALSE(terminal_->is_gone());
    EXPECT_EQ(scope_.size(), 1U) << "it is kept";
    attach(0);
    EXPECT_EQ(next().at(0).bytes, "bye");
    EXPECT_THAT(next().at(0).bytes, HasSubstr("\"exitCode\":3"));
    EXPECT_FALSE(say(Kind::kClose, kNormal));
    pass(1s);
    EXPECT_EQ(scope_.size(), 0U);
}

TEST_F(TerminalLinkTest, WhoIsSignedOutIsNotWaitedFor) {
    terminal_->end(services::CommandEnding::kSignedOut);
    pass(1s);
    const auto before = clock_.steady_now();
    EXPECT_EQ(next().at(1).code, 1008);
    EXPECT_TRUE(next().empty());
    EXPECT_EQ(clock_.steady_now(), before);
    EXPECT_EQ(scope_.size(), 0U);
}

}  // namespace
}  // namespace agentdb9::api
