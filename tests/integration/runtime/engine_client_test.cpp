#include <boost/asio/bind_cancellation_slot.hpp>

#include "engine_client_world.hpp"

namespace agentdb9::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EngineClientTest, SpeaksTheLowerOfBothVersions) {
    for (const auto& [theirs, spoken] :
         {std::pair("1.41", "1.41"), std::pair("1.45", "1.45"), std::pair("1.100", "1.45")}) {
        engine.api_version = theirs;
        EXPECT_EQ(run(client.negotiate()), spoken);
        answer_all(reply(200));
        get();
        EXPECT_EQ(engine.requests.back().target, std::string("/v") + spoken + "/things");
    }
}

TEST_F(EngineClientTest, RefusesAnOlderEngineWithASentence) {
    for (const auto* version : {"1.40", "1.9", "1."}) {
        engine.api_version = version;
        EXPECT_EQ(word_of_get(), "runtime_too_old") << version;
        EXPECT_EQ(last_code, base::ErrorCode::kUnavailable);
        EXPECT_THAT(last_message, HasSubstr("1.41"));
    }
    engine.api_version = "1.41";
    answer_all(reply(200));
    EXPECT_EQ(word_of_get(), "") << "and goes on once the engine is updated";
}

TEST_F(EngineClientTest, TakesNothingElseForAnEngine) {
    for (const auto* version : {"", "x", "0.99"}) {
        engine.api_version = version;
        EXPECT_EQ(word_of_get(), "runtime_unavailable") << version;
    }
}

TEST_F(EngineClientTest, TakesANewerEngineUnlessItDoesNotSpeakOurVersions) {
    engine.api_version = "1.60";
    engine.min_api_version = "1.45";
    answer_all(reply(200));
    EXPECT_EQ(word_of_get(), "");
    engine.min_api_version = "1.46";
    engine.close_all();
    EXPECT_EQ(word_of_get(), "runtime_too_new");
    EXPECT_EQ(last_code, base::ErrorCode::kUnavailable);
    EXPECT_THAT(last_message, HasSubstr("1.46"));
}

TEST_F(EngineClientTest, AStatusIsAnAnswer) {
    for (const int status_code : {200, 201, 204, 304, 400, 403, 404, 409, 500, 501, 503}) {
        answer_all(status_code == 204 || status_code == 304 ? reply(status_code)
                                                            : refusal(status_code, "words"));
        const auto answer = get();
        EXPECT_EQ(answer.status, status_code);
        EXPECT_EQ(answer.ok(), status_code < 300);
        if (status_code >= 400) EXPECT_EQ(answer.message(), "words");
    }
    EXPECT_EQ(engine.accepted(), 1U) << "all over one kept connection";
}

TEST_F(EngineClientTest, ReadsEveryWayOfSendingABody) {
    const std::string big(5'000'000, 'x');
    const std::string quoted = "\"" + big + "\"";
    for (const auto& [bytes, body] : std::vector<std::pair<std::string, std::string>>{
             {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi"},
             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("h") + chunk("i") + chunk(""),
              "hi"},
             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(quoted) + chunk(""), quoted},
             {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
             {"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nuntil the end", "until the end"},
             {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", "until the end"}}) {
        answer_all(raw(bytes));
        EXPECT_EQ(get().body, body) << bytes.substr(0, 60);
    }
}

TEST_F(EngineClientTest, EveryBrokenAnswerIsATypedErrorInTime) {
    for (const auto& broken : broken_replies()) {
        answer_all(reply(200));
        engine.close_all();
        get();
        // On a connection of its own and on a kept one.
        for (const bool kept : {true, false}) {
            if (!kept) engine.close_all();
            settle();
            answer_all(broken.reply);
            const auto before = clock.elapsed();
            EXPECT_EQ(word_of_get(), broken.word) << broken.name;
            EXPECT_EQ(last_code, broken.word == "runtime_timeout" ? base::ErrorCode::kTimeout
                                                                  : base::ErrorCode::kUnavailable);
            const auto took = clock.elapsed() - before;
            EXPECT_EQ(took, broken.word == "runtime_timeout" ? 15s : 0s) << broken.name;
            answer_all(reply(200));
            EXPECT_EQ(get().status, 200) << "it goes on after: " << broken.name;
        }
    }
}

TEST_F(EngineClientTest, LeavesNoDescriptorBehindWhateverBreaks) {
    answer_all(reply(200));
    get();
    const auto before = descriptors();
    for (int round = 0; round < 3; ++round) {
        for (const auto& broken : broken_replies()) {
            answer_all(broken.reply);
            word_of_get();
            word_of(follow(1s));
        }
    }
    answer_all(reply(200));
    get();
    settle();
    EXPECT_LE(descriptors(), before + 1);
}

TEST_F(EngineClientTest, WaitsForASlowAnswerWithinTheLimit) {
    auto slow = reply(200);
    slow.delay = 14s;
    answer_all(slow);
    EXPECT_EQ(get().status, 200);
    slow.delay = 80s;
    answer_all(slow);
    EXPECT_EQ(run(client.call("GET", "/things", std::nullopt, 90s)).status, 200);
}

TEST_F(EngineClientTest, TheLimitHoldsOverAllTries) {
    // Each try takes ten seconds, then the kept connection turns out to be dead.
    answer_all(reply(200));
    get();
    auto slow_death = raw("");
    slow_death.delay = 10s;
    answer_all(slow_death);
    const auto before = clock.elapsed();
    EXPECT_EQ(word_of_get(), "runtime_timeout");
    EXPECT_EQ(clock.elapsed() - before, 15s);
}

TEST_F(EngineClientTest, TellsWhenNothingListens) {
    answer_all(reply(200));
    get();
    engine.close_all();
    engine.stop();
    EXPECT_EQ(word_of_get(), "runtime_unavailable");
    EXPECT_EQ(last_code, base::ErrorCode::kUnavailable);
    engine.start();
    EXPECT_EQ(word_of_get(), "") << "and goes on when it is back";
    for (const auto* path : {"/nonexistent/engine.sock", "/dev/null", "/tmp"}) {
        EngineClient other(context.get_executor(), clock, std::string("unix://") + path);
        EXPECT_EQ(word_of(other.call("GET", "/things")), "runtime_unavailable") << path;
    }
}

TEST_F(EngineClientTest, WaitsWhileTheSocketsQueueIsFull) {
    settle();
    engine.stop();
    engine.start(0, false);
    // These fill the queue; nobody accepts them.
    std::vector<std::unique_ptr<EngineClient>> others;
    int ended = 0;
    for (int i = 0; i < 4; ++i) {
        others.push_back(std::make_unique<EngineClient>(context.get_executor(), clock, engine.host()));
        asio::co_spawn(context, others.back()->call("GET", "/things"),
                       [&](std::exception_ptr, EngineAnswer) { ++ended; });
    }
    settle();
    EXPECT_EQ(word_of_get(2s), "runtime_timeout") << "it may be accepted yet: not unavailable";
}

TEST_F(EngineClientTest, ARestartedEngineCostsNoCall) {
    answer_all(reply(200));
    get();
    engine.close_all();
    settle();
    EXPECT_EQ(get().status, 200);
    EXPECT_EQ(engine.accepted(), 2U);
}

TEST_F(EngineClientTest, RepeatsACallOnceWhenItsKeptConnectionDiesUnderIt) {
    answer_all(reply(200));
    get();
    engine.requests.clear();
    bool first = true;
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.path == "/version") return std::nullopt;
        return std::exchange(first, false) ? raw("HTTP/1.1 20") : reply(200);
    };
    EXPECT_EQ(run(client.call("POST", "/things", json::object{{"a", 1}})).status, 200);
    EXPECT_THAT(engine.calls(), ElementsAre("POST /things", "GET /version", "POST /things"));
    EXPECT_EQ(engine.requests.back().body, (json::object{{"a", 1}}));
}

TEST_F(EngineClientTest, DropsAllKeptConnectionsWhenOneIsDead) {
    auto slow = reply(200);
    slow.delay = 1s;
    answer_all(slow);
    int ended = 0;
    for (int i = 0; i < 5; ++i) {
        asio::co_spawn(context, client.call("GET", "/things"),
                       [&](std::exception_ptr error, EngineAnswer) { ended += error ? 100 : 1; });
    }
    ASSERT_TRUE(drive(context, clock, [&] { return ended == 5; }));
    EXPECT_EQ(engine.open_connections(), 5U);
    engine.close_all();
    settle();
    engine.requests.clear();
    get();
    EXPECT_THAT(engine.calls(), ElementsAre("GET /version", "GET /things")) << "no try for each dead one";
}

TEST_F(EngineClientTest, KeepsNoMoreThanSixteenConnections) {
    auto slow = reply(200);
    slow.delay = 1s;
    answer_all(slow);
    int ended = 0;
    for (int i = 0; i < 40; ++i) {
        asio::co_spawn(context, client.call("GET", "/things"),
                       [&](std::exception_ptr error, EngineAnswer) { ended += error ? 100 : 1; });
    }
    ASSERT_TRUE(drive(context, clock, [&] { return ended == 40; }));
    settle();
    EXPECT_LE(engine.open_connections(), 16U);
}

TEST_F(EngineClientTest, AgreesAnewWhenAnotherEngineAnswersAfterARestart) {
    engine.api_version = "1.44";
    answer_all(reply(200));
    get();
    EXPECT_EQ(engine.requests.back().target, "/v1.44/things");
    engine.api_version = "1.41";
    engine.close_all();
    settle();
    get();
    EXPECT_EQ(engine.requests.back().target, "/v1.41/things");
    // Another one behind the same connection, as behind a socket proxy.
    engine.api_version = "1.43";
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.path == "/version") return std::nullopt;
        if (request.target.starts_with("/v1.43/")) return reply(200);
        return refusal(400, "client version 1.41 is too old. Minimum supported API version is 1.43");
    };
    EXPECT_EQ(get().status, 200);
    EXPECT_EQ(engine.requests.back().target, "/v1.43/things");
}

TEST_F(EngineClientTest, GivesUpOnAnEngineThatRefusesEveryVersion) {
    answer_all(refusal(400, "client version 1.41 is too old"));
    EXPECT_EQ(get().status, 400);
}

TEST_F(EngineClientTest, DoesNotReuseAConnectionThatSaidMoreThanWasAsked) {
    answer_all(
        raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
            Then::kKeep));
    EXPECT_EQ(get().status, 200);
    EXPECT_EQ(get().status, 200);
    EXPECT_EQ(engine.accepted(), 2U) << "negotiation shares the first one";
    answer_all(raw("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", Then::kKeep));
    get();
    const auto accepted = engine.accepted();
    get();
    EXPECT_EQ(engine.accepted(), accepted + 1);
}

TEST_F(EngineClientTest, DoesNotReuseAConnectionWhoseEndWasTheEndOfTheBody) {
    // As the output of a command in a container comes.
    answer_all(raw("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\noutput",
                   Then::kFinish));
    EXPECT_EQ(get().body, "output");
    answer_all(reply(200));
    engine.requests.clear();
    get();
    EXPECT_EQ(engine.accepted(), 2U);
    EXPECT_THAT(engine.calls(), ElementsAre("GET /things")) << "no try on the old one";
}

TEST_F(EngineClientTest, ACancelledCallEndsAtOnceAndLeavesNothing) {
    answer_all(reply(200));
    get();
    settle();
    const auto before = descriptors();
    answer_all(raw("HTTP/1.1 200 OK\r\n", Then::kHold));
    const std::function<Task<>()> ways[] = {
        [&]() -> Task<> { co_await client.call("GET", "/things"); },
        [&]() -> Task<> { co_await follow(); },
    };
    for (const auto& way : ways) {
        asio::cancellation_signal signal;
        std::exception_ptr failure;
        bool ended = false;
        asio::co_spawn(context, way(),
                       asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) {
                           failure = error;
                           ended = true;
                       }));
        settle();
        ASSERT_FALSE(ended);
        const auto at = clock.elapsed();
        signal.emit(asio::cancellation_type::terminal);
        settle();
        ASSERT_TRUE(ended);
        EXPECT_TRUE(base::is_cancellation(failure));
        EXPECT_EQ(clock.elapsed(), at);
    }
    EXPECT_LE(descriptors(), before);
    answer_all(reply(200));
    EXPECT_EQ(get().status, 200);
}

}  // namespace
}  // namespace agentdb9::test
