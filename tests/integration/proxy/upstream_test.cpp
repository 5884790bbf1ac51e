// Applications that are down, dead, slow or out of their mind.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Application : testing::Test {
    Upstream upstream{answering([](const Message&) { return ok("fine"); })};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);

    std::string get(const std::string& fields = {}) {
        return plane.get(Plane::proxy(route, "/x?secret=1"), kBearer + fields);
    }
    std::string post(const std::string& body) {
        return "POST " + Plane::proxy(route, "/") + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    // The first connection answers once and dies at the next request; later ones are served by `later`.
    Upstream::Served dies_on_second_request(Upstream::Serve later) {
        return upstream.serve([this, later = std::move(later)](Connection& connection) {
            if (upstream.accepted() > 1) return later(connection);
            read_message(connection, false, true);
            connection.send(ok("first"));
            read_message(connection, false, true);
        });
    }
};

TEST_F(Application, AnIdempotentRequestOnADeadConnectionIsSentAgain) {
    auto served = dies_on_second_request(answering([](const Message& request) { return ok(request.head); }));
    auto client = plane.api();
    EXPECT_EQ(ask(client, get()).body, "first");
    auto answer = ask(client, get());
    EXPECT_EQ(answer.status(), 200);
    EXPECT_THAT(answer.body, StartsWith("GET /x?secret=1 HTTP/1.1\r\n"));
    EXPECT_EQ(upstream.accepted(), 2);
    EXPECT_EQ(plane.metrics().upstream_retries, 1U);
}

TEST_F(Application, ItIsSentAgainOnceOnly) {
    auto served =
        dies_on_second_request([](Connection& connection) { read_message(connection, false, true); });
    auto client = plane.api();
    EXPECT_EQ(ask(client, get()).body, "first");
    auto answer = ask(client, get());
    EXPECT_EQ(answer.status(), 502);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_unreachable\""));
    EXPECT_EQ(upstream.accepted(), 2);
}

TEST_F(Application, APostOnADeadConnectionIsNotSentAgain) {
    auto served = dies_on_second_request(answering([](const Message&) { return ok("again"); }));
    auto client = plane.api();
    EXPECT_EQ(ask(client, get()).body, "first");
    EXPECT_EQ(ask(client, post("body")).status(), 502);
    EXPECT_EQ(upstream.accepted(), 1);
    EXPECT_EQ(plane.metrics().upstream_retries, 0U);
}

TEST_F(Application, NorIsOneWithoutABody) {
    auto served = dies_on_second_request(answering([](const Message&) { return ok("again"); }));
    auto client = plane.api();
    EXPECT_EQ(ask(client, get()).body, "first");
    EXPECT_EQ(ask(client, post("")).status(), 502);
    EXPECT_EQ(upstream.accepted(), 1);
}

TEST_F(Application, ADeadConnectionThatSaidSoIsNotUsed) {
    auto served = upstream.serve([](Connection& connection) {
        read_message(connection, false, true);
        connection.send(ok("once"));
    });
    auto client = plane.api();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ask(client, post("x")).body, "once");
        ASSERT_TRUE(eventually([&] { return upstream.open() == 0; }));
    }
    EXPECT_EQ(upstream.accepted(), 3);
}

TEST_F(Application, ThatIsDownIsA502WithTheEnvelope) {
    upstream.close_listener();
    auto client = plane.api();
    auto answer = ask(client, get());
    EXPECT_EQ(answer.status(), 502);
    EXPECT_EQ(answer.field("Content-Type"), "application/json; charset=utf-8");
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    for (const auto& part :
         {std::string("\"success\":false"), std::string("\"code\":\"upstream_unreachable\""),
          std::string("\"statusCode\":502"), "\"path\":\"" + Plane::proxy(route, "/x") + "\"",
          std::string("\"method\":\"GET\""), "\"requestId\":\"" + answer.field("X-Request-Id") + "\""})
        EXPECT_THAT(answer.body, HasSubstr(part));
    EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
    EXPECT_THAT(answer.body, HasSubstr("port 8080")) << "what to look at";
    EXPECT_THAT(answer.body, HasSubstr("listens on all addresses"));
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
}

TEST_F(Application, WhatIsNotItsFaultIsNotSaidToBe) {
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get("/api/first")).status(), 200);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest = ::dup(client.fd());
    ::close(lowest);
    const rlimit full{static_cast<rlim_t>(lowest), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
    auto answer = ask(client, get());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(answer.status(), 503);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"unavailable\""));
    EXPECT_EQ(answer.field("Retry-After"), "2");
    EXPECT_EQ(ask(client, get()).body, "fine");
}

TEST_F(Application, ANavigationGetsAPageWithTheSameFacts) {
    upstream.close_listener();
    auto client = plane.api();
    auto answer = ask(client, get("Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"));
    EXPECT_EQ(answer.status(), 502);
    EXPECT_EQ(answer.field("Content-Type"), "text/html; charset=utf-8");
    EXPECT_THAT(answer.field("Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_THAT(answer.body, StartsWith("<!doctype html>"));
    EXPECT_THAT(answer.body, HasSubstr("upstream_unreachable"));
    EXPECT_THAT(answer.body, HasSubstr(answer.field("X-Request-Id")));
}

struct SlowApplication : testing::Test {
    Upstream upstream{answering([](const Message&) { return ok("fine"); })};
    Plane plane{[] {
        proxy::Options options;
        options.limits.upstream_head = 1s;
        options.limits.upstream_connect = 100ms;
        return options;
    }()};
    model::Route& route = plane.add(upstream.port(), plane.user);
};

TEST_F(SlowApplication, ThatDoesNotAnswerInTimeIsA504) {
    Gate freed;
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, false, true);
        if (connection.closes()) freed.open();
    });
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_EQ(answer.status(), 504);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_timeout\""));
    EXPECT_TRUE(freed.wait());
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
}

TEST_F(SlowApplication, TheTimeForAnAnswerBeginsWhenTheRequestHasEnded) {
    auto served = upstream.serve([](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(ok(connection.read_exactly(2)));
    });
    auto client = plane.api();
    client.send("POST " + Plane::proxy(route, "/") + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
                "Content-Length: 2\r\n\r\na");
    // Longer than the application would have.
    EXPECT_TRUE(client.is_silent_for(1500ms));
    EXPECT_EQ(ask(client, "b").body, "ab");
}

// A listener whose queue is full: the kernel drops what else wants in.
class FullListener {
  public:
    FullListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(fd_, 0), 0);
        const timeval patience{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        for (int i = 0; i < 8; ++i) {
            waiting_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            ::connect(waiting_.back(), reinterpret_cast<sockaddr*>(&address), size);
        }
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;
    ~FullListener() {
        leave();
        ::close(fd_);
    }
    std::uint16_t port() const { return port_; }
    // Those who wait go.
    void leave() {
        for (int other : waiting_)
            ::close(other);
        waiting_.clear();
    }
    Connection accept() { return Connection(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)); }

  private:
    int fd_;
    std::uint16_t port_ = 0;
    std::vector<int> waiting_;
};

TEST_F(SlowApplication, ThatDoesNotAcceptInTimeIsA504) {
    FullListener listener;
    auto& full = plane.add(listener.port(), plane.user);
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(full, "/"), kBearer));
    EXPECT_EQ(answer.status(), 504);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_timeout\""));
}

// Whoever is signed out while the connection is made reaches no application any more.
TEST_F(Application, HearsNothingOfARequestWhoseCallerWasRevokedMeanwhile) {
    FullListener listener;
    auto& full = plane.add(listener.port(), plane.user);
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(full, "/"), kBearer));
    ASSERT_TRUE(eventually([&] { return plane.metrics().relays_in_flight == 1; }));
    plane.revoke({plane.user, {}, {}, {}});
    EXPECT_TRUE(client.closes());
    // Now the connection comes about, when the kernel tries the next time; and has nothing to say.
    listener.leave();
    while (plane.metrics().relays_in_flight > 0) {
        auto came = listener.accept();
        ASSERT_GE(came.fd(), 0) << "none came";
        EXPECT_EQ(came.read_to_end(), "");
    }
    EXPECT_EQ(plane.metrics().limits_hit[static_cast<std::size_t>(proxy::LimitHit::kUpstreamConnect)], 0U);
}

TEST_F(Application, ThatSpeaksNoHttpIsA502) {
    for (std::string garbage :
         {"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\n", "HTTP/1.1 abc\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
          "HTTP/1.1 200", "HTTP/2.0 200 OK\r\n\r\n"}) {
        auto served = upstream.serve([&](Connection& connection) {
            read_message(connection, false, true);
            connection.send(garbage);
        });
        auto client = plane.api();
        auto answer = ask(client, get());
        EXPECT_EQ(answer.status(), 502) << garbage;
        EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_invalid\"")) << garbage;
        EXPECT_THAT(answer.body, HasSubstr("is not valid HTTP: ")) << "and why";
    }
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
    });
    auto client = plane.api();
    auto answer = ask(client, get());
    EXPECT_EQ(answer.status(), 502);
    EXPECT_THAT(answer.body, HasSubstr("32 KB")) << "not that it is no HTTP";
    EXPECT_THAT(answer.body, Not(HasSubstr("not valid")));
}

struct CutShort : Application {
    // Says `beginning`, and what follows once the client has seen the first half.
    Upstream::Served answers(const std::string& beginning, const std::string& rest) {
        return upstream.serve([this, beginning, rest](Connection& connection) {
            read_message(connection, false, true);
            connection.send(beginning);
            half_seen.wait();
            connection.send(rest);
        });
    }
    Gate half_seen;
};

constexpr auto kHalfChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";

TEST_F(CutShort, AnAnswerWithALengthIsNotTakenForTheWhole) {
    auto served = answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "");
    auto client = plane.api();
    client.send(get());
    EXPECT_THAT(client.read_until("half"), StartsWith("HTTP/1.1 200 OK"));
    half_seen.open();
    EXPECT_TRUE(client.closes());
}

TEST_F(CutShort, NorIsOneInChunks) {
    for (const char* rest : {"", "zz\r\n", "5\r\nlonger\r\n"}) {
        Gate seen;
        auto served = upstream.serve([&](Connection& connection) {
            read_message(connection, false, true);
            connection.send(kHalfChunked);
            seen.wait();
            connection.send(rest);
        });
        auto client = plane.api();
        client.send(get());
        EXPECT_THAT(client.read_until("half"), StartsWith("HTTP/1.1 200 OK"));
        seen.open();
        EXPECT_THAT(client.read_to_end(), Not(HasSubstr("0\r\n\r\n"))) << rest;
    }
}

TEST_F(CutShort, WhereOnlyTheEndTellsItIsAReset) {
    auto served = answers(kHalfChunked, "");
    auto client = plane.api();
    client.send("GET " + Plane::proxy(route, "/") + " HTTP/1.0\r\n" + kBearer + "\r\n");
    EXPECT_THAT(client.read_until("half"), EndsWith("half"));
    half_seen.open();
    char byte = 0;
    EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), -1) << "it ended as if the answer were whole";
    EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(CutShort, SoItIsWhenWeEndIt) {
    auto served = answers(kHalfChunked, "");
    auto client = plane.api();
    client.send("GET " + Plane::proxy(route, "/") + " HTTP/1.0\r\n" + kBearer + "\r\n");
    EXPECT_THAT(client.read_until("half"), EndsWith("half"));
    plane.revoke({plane.user, {}, {}, {}});
    char byte = 0;
    EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), -1) << "it ended as if the answer were whole";
    EXPECT_EQ(errno, ECONNRESET);
    half_seen.open();
}

TEST_F(CutShort, AGoodEndIsNone) {
    auto served = upstream.serve([](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\n\r\nthe whole");
    });
    auto client = plane.api();
    client.send("GET " + Plane::proxy(route, "/") + " HTTP/1.0\r\n" + kBearer + "\r\n");
    EXPECT_THAT(client.read_until("the whole"), EndsWith("the whole"));
    char byte = 0;
    EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), 0);
}

TEST_F(CutShort, AMalformedBeginningIsA502) {
    auto served = upstream.serve([](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    });
    auto client = plane.api();
    EXPECT_EQ(ask(client, get()).status(), 502);
}

TEST_F(Application, BytesBehindAnAnswerAreNotTheNextOnes) {
    auto served =
        upstream.serve(answering([](const Message&) { return ok("one") + ok("two, never asked for"); }));
    auto client = plane.api();
    EXPECT_EQ(ask(client, get()).body, "one");
    EXPECT_EQ(ask(client, get()).body, "one");
    EXPECT_EQ(upstream.accepted(), 2);
}

// Of [rewrites]; its look-up answers when the gate opens, or never while the test runs.
struct NamedUpstream : testing::Test {
    struct State {
        Gate answers;
        std::atomic<int> asked = 0;
        std::atomic<int> answered = 0;
    };
    Upstream upstream{answering([](const Message&) { return ok("fine"); })};
    std::shared_ptr<State> state = std::make_shared<State>();
    proxy::Options options = [this] {
        proxy::Options made;
        made.limits.upstream_connect = 300ms;
        made.rewrites = {{"/named", {}, model::Endpoint{"silent.test", upstream.port()}},
                         {"/two", {}, model::Endpoint{"two.test", upstream.port()}}};
        made.look_up = [state = state](const std::string& name) -> proxy::NameResolver::Addresses {
            ++state->asked;
            if (name == "silent.test") {
                state->answers.wait();
                ++state->answered;
            }
            // Nothing listens at the first.
            return {asio::ip::make_address("127.0.0.2"), asio::ip::make_address("127.0.0.1")};
        };
        return made;
    }();

    ~NamedUpstream() override { state->answers.open(); }
};

TEST_F(NamedUpstream, WhoseNameIsNotFoundInTimeIsA504ForEveryRequestAtOnce) {
    std::optional<Plane> plane(std::in_place, options);
    std::vector<Connection> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(plane->api());
        clients.back().send(plane->get("/named/x", kBearer));
    }
    for (auto& client : clients) {
        const auto answer = read_message(client);
        EXPECT_EQ(answer.status(), 504);
        EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_timeout\""));
    }
    EXPECT_EQ(state->asked, 1);
    EXPECT_EQ(ask(clients.front(), plane->get("/two/x", kBearer)).body, "fine");
    plane.reset();
    EXPECT_EQ(state->answered, 0) << "the end waited for the look-up";
}

TEST_F(NamedUpstream, EndsAtOnceWithRequestsThatWaitForAName) {
    options.limits.upstream_connect = 1h;
    std::optional<Plane> plane(std::in_place, options);
    auto client = plane->api();
    client.send(plane->get("/named/x", kBearer));
    ASSERT_TRUE(eventually([&] { return state->asked == 1; }));
    plane.reset();
    EXPECT_EQ(state->answered, 0);
    EXPECT_TRUE(client.closes());
}

TEST_F(NamedUpstream, IsReachedAtWhicheverOfItsAddressesAnswers) {
    Plane plane(options);
    auto client = plane.api();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(client, plane.get("/two/x", kBearer)).body, "fine");
}

TEST_F(Application, APortThatCannotBeReachedIsA502) {
    auto client = plane.api();
    auto answer =
        ask(client, plane.get("/api/workspaces/" + route.workspace.str() + "/ports/9999/", kBearer));
    EXPECT_EQ(answer.status(), 502);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_unreachable\""));
    EXPECT_THAT(answer.body, HasSubstr("docker.reach")) << "why";
    EXPECT_THAT(answer.body, HasSubstr("only port 8080")) << "and what to do";
}

}  // namespace
}  // namespace agentdb9::test
