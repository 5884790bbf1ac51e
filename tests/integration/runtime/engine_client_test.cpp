#include "runtime/docker/engine_client.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <fstream>

#include "engine_world.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using runtime::docker::EngineAnswer;
using runtime::docker::EngineClient;
using testing::ElementsAre;
using testing::HasSubstr;
using Then = FakeReply::Then;

class EngineClientTest : public testing::Test, protected EngineWorld {
  protected:
    EngineAnswer get(const std::string& target = "/things") { return run(client.call("GET", target)); }
    std::string word_of_get(base::Duration limit = 15s) {
        return word_of(client.call("GET", "/things", std::nullopt, limit));
    }
    // Answers calls other than negotiation.
    void answer_all(FakeReply with) {
        engine.script = [with](const FakeRequest& request) -> std::optional<FakeReply> {
            if (request.path == "/version") return std::nullopt;
            return with;
        };
    }
    std::string seen;
    int status = 0;
    Task<int> follow(std::optional<std::chrono::milliseconds> silence = std::nullopt) {
        return client.stream(
            "GET", "/events", [this](int answered) { status = answered; },
            [this](std::string_view data) { seen += data; }, silence);
    }

    EngineClient client{context.get_executor(), clock, engine.host()};
};

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

struct Broken {
    const char* name;
    FakeReply reply;
    std::string word = "runtime_unavailable";
};

std::vector<Broken> broken_replies() {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n";
    const std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    return {
        {"closed without an answer", raw("")},
        {"cut in the status line", raw("HTTP/1.1 2")},
        {"cut in the head", raw(head + "Content-Ty")},
        {"cut before the body", raw(head + "\r\n")},
        {"cut in the body", raw(head + "\r\n12345")},
        {"cut in a chunk's size", raw(chunks + "1")},
        {"cut in a chunk", raw(chunks + "a\r\n12345")},
        {"cut between two chunks", raw(chunks + chunk("12345"))},
        {"cut before the last line", raw(chunks + chunk("12345") + "0\r\n")},
        {"garbage", raw("\1\2\3 this is no HTTP\r\n\r\n")},
        {"another protocol", raw("SSH-2.0-OpenSSH_9.2\r\n")},
        {"a bad chunk size", raw(chunks + "zz\r\nxx\r\n")},
        {"a bad length", raw("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n")},
        {"a head without end", raw("HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x'))},
        {"a body of more than 64 MiB", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")},
        {"silence", raw("", Then::kHold), "runtime_timeout"},
        {"silence in the head", raw(head, Then::kHold), "runtime_timeout"},
        {"silence in the body", raw(head + "\r\n12345", Then::kHold), "runtime_timeout"},
        {"silence in a chunk", raw(chunks + "a\r\n12345", Then::kHold), "runtime_timeout"},
        {"silence between chunks", raw(chunks + chunk("12345"), Then::kHold), "runtime_timeout"},
        {"a byte a second",
         {.bytes = head + "\r\n1234567890", .then = Then::kKeep, .byte_pause = 1s},
         "runtime_timeout"},
        {"too late",
         {.bytes = head + "\r\n1234567890", .then = Then::kKeep, .delay = 16s},
         "runtime_timeout"},
    };
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
