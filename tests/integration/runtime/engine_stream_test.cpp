#include "engine_client_world.hpp"

namespace agentdb9::test {
namespace {

TEST_F(EngineClientTest, AStreamGivesEachPieceAsItComes) {
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.path == "/version") return std::nullopt;
        return chunked({"one "}, Then::kHold);
    };
    std::optional<int> ended;
    asio::co_spawn(context, follow(),
                   [&](std::exception_ptr error, int answered) { ended = error ? -1 : answered; });
    settle();
    EXPECT_EQ(status, 200);
    EXPECT_EQ(seen, "one ");
    clock.advance(std::chrono::hours(24));
    settle();
    EXPECT_FALSE(ended) << "silence is no end";
    const auto connection = engine.requests.back().connection;
    engine.send(connection, chunk("two ") + "5\r\nth");
    settle();
    EXPECT_EQ(seen, "one two th");
    engine.send(connection, "ree\r\n" + chunk(""));
    settle();
    EXPECT_EQ(seen, "one two three");
    EXPECT_EQ(ended, 200);
}

TEST_F(EngineClientTest, AStreamThatBreaksGivesWhatCameAndThenFails) {
    answer_all(chunked({"one\n", "two\n"}, Then::kClose));
    EXPECT_EQ(word_of(follow()), "runtime_unavailable");
    EXPECT_EQ(seen, "one\ntwo\n");
    for (const auto& broken : broken_replies()) {
        seen.clear();
        answer_all(broken.reply);
        const auto before = clock.elapsed();
        const auto word = word_of(follow(20s));
        EXPECT_LE(clock.elapsed() - before, 60s) << broken.name;
        // It is the silence that is limited, not the whole.
        const bool comes = broken.reply.delay.count() > 0;
        if (std::string(broken.name) == "a body of more than 64 MiB") continue;
        EXPECT_EQ(word, comes ? "" : broken.word) << broken.name;
    }
}

TEST_F(EngineClientTest, AStreamWaitsForItsHeadNoLongerThanForAnAnswer) {
    answer_all(raw("", Then::kHold));
    const auto before = clock.elapsed();
    EXPECT_EQ(word_of(follow(std::nullopt)), "runtime_timeout");
    EXPECT_EQ(clock.elapsed() - before, 15s);
}

TEST_F(EngineClientTest, AStreamThatFallsSilentEndsWhereSilenceIsLimited) {
    answer_all(chunked({"one\n"}, Then::kHold));
    const auto before = clock.elapsed();
    EXPECT_EQ(word_of(follow(5min)), "runtime_timeout");
    EXPECT_EQ(clock.elapsed() - before, 5min);
    EXPECT_EQ(seen, "one\n");
}

TEST(EngineHost, TakesUnixSocketsAndIpAddresses) {
    asio::io_context context;
    VirtualClock clock;
    const auto make = [&](const std::string& host) {
        return EngineClient(context.get_executor(), clock, host);
    };
    EXPECT_TRUE(make("").is_local());
    EXPECT_TRUE(make("unix:///run/user/1000/docker.sock").is_local());
    EXPECT_FALSE(make("tcp://192.0.2.7:2375").is_local());
    EXPECT_EQ(make("tcp://192.0.2.7:2375").remote_host(), "192.0.2.7");
    EXPECT_EQ(make("tcp://[2001:db8::1]:2375").remote_host(), "2001:db8::1");
    for (const auto* host :
         {"unix://", "tcp://192.0.2.7", "tcp://192.0.2.7:", "tcp://192.0.2.7:0", "tcp://192.0.2.7:65536",
          "tcp://192.0.2.7:2375x", "tcp://:2375", "ssh://host", "192.0.2.7:2375", "/var/run/docker.sock"}) {
        try {
            make(host);
            ADD_FAILURE() << "took " << host;
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::kInvalid) << host;
            EXPECT_EQ(error.word(), "docker_host");
        }
    }
    EXPECT_THROW(make("unix:///" + std::string(120, 'x')), base::Error);
}

}  // namespace
}  // namespace agentdb9::test
