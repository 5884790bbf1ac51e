// Bodies flow as they come, both ways, at the pace of the slower side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMegabyte = 1024UL * 1024;
// More than the kernel's buffers of two connections hold, many times more than the proxy may.
constexpr std::size_t kBig = 96 * kMegabyte;
constexpr std::size_t kMostInFlight = 48 * kMegabyte;

// Bytes whose place can be told, so that none is lost, doubled or moved.
class Pattern {
  public:
    std::string_view next(std::size_t size) {
        text_.resize(size);
        for (char& c : text_)
            c = at(position_++);
        return text_;
    }
    bool matches(std::string_view bytes) {
        return std::ranges::all_of(bytes, [this](char c) { return c == at(position_++); });
    }
    std::size_t position() const { return position_; }

  private:
    static char at(std::size_t position) {
        return static_cast<char>('!' + (position * 7 + position / 90) % 90);
    }
    std::string text_;
    std::size_t position_ = 0;
};

// Sends until the other side takes no more for a while, or `size` bytes are through.
std::size_t send_until_full(Connection& to, Pattern& pattern, std::size_t size) {
    std::size_t total = 0;
    while (total < size) {
        auto piece = pattern.next(std::min(size - total, 64UL * 1024));
        while (!piece.empty()) {
            pollfd polled{to.fd(), POLLOUT, 0};
            if (::poll(&polled, 1, 700) <= 0) return total;
            auto sent = ::send(to.fd(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent <= 0) return total;
            total += static_cast<std::size_t>(sent);
            piece.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    return total;
}

struct Streaming : testing::Test {
    Upstream upstream{answering([](const Message& request) { return ok(request.head + request.body); })};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);

    std::string get() { return plane.get(Plane::proxy(route, "/"), kBearer); }
    std::string post(const std::string& fields) {
        return "POST " + Plane::proxy(route, "/") + " HTTP/1.1\r\nHost: a\r\n" + kBearer + fields + "\r\n";
    }
};

TEST_F(Streaming, AnAnswerArrivesBeforeItHasEnded) {
    Gate seen;
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        connection.send(seen.wait() ? "6\r\nsecond\r\n0\r\n\r\n" : "0\r\n\r\n");
    });
    auto client = plane.api();
    client.send(get());
    client.read_until("5\r\nfirst\r\n");
    seen.open();
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "6\r\nsecond\r\n0\r\n\r\n");
}

TEST_F(Streaming, ARequestArrivesBeforeItHasEnded) {
    Gate seen;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("first");
        seen.open();
        connection.send(ok(connection.read_exactly(6)));
    });
    auto client = plane.api();
    client.send(post("Content-Length: 11\r\n") + "first");
    ASSERT_TRUE(seen.wait());
    EXPECT_EQ(ask(client, "second").body, "second");
}

TEST_F(Streaming, BothMayTalkAtOnce) {
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 5; ++i)
            connection.send(connection.read_until("!\r\n"));
        connection.read_until("0\r\n\r\n");
        connection.send("0\r\n\r\n");
    });
    auto client = plane.api();
    client.send(post("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
    for (int i = 0; i < 5; ++i) {
        client.send("4\r\nabc!\r\n");
        EXPECT_EQ(client.read_until("!\r\n"), "4\r\nabc!\r\n");
    }
    client.send("0\r\n\r\n");
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
}

TEST_F(Streaming, ABigAnswerArrivesWholeThoughItsReaderIsSlow) {
    std::atomic<std::size_t> before_reading = 0;
    Gate full;
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBig) + "\r\n\r\n");
        Pattern pattern;
        auto sent = send_until_full(connection, pattern, kBig);
        before_reading = sent;
        full.open();
        Pattern rest;
        rest.next(sent);
        for (auto left = kBig - sent; left > 0;) {
            auto size = std::min(left, kMegabyte);
            if (!connection.send(rest.next(size))) return;
            left -= size;
        }
        connection.closes();
    });
    auto client = plane.api();
    client.set_receive_buffer(64 * 1024);
    client.send(get());
    ASSERT_TRUE(full.wait());
    EXPECT_LT(before_reading, kMostInFlight) << "the proxy takes what the client does not read";
    client.read_until("\r\n\r\n");
    Pattern expected;
    while (expected.position() < kBig) {
        auto piece = client.read_some();
        ASSERT_FALSE(piece.empty()) << expected.position();
        ASSERT_TRUE(expected.matches(piece)) << expected.position();
    }
}

// What one has left behind in the middle of a large answer must not come up in another's.
TEST_F(Streaming, AnAnswerThatIsBrokenOffLeavesNothingToTheNext) {
    const std::string stale(8 * kMegabyte, 'S');
    const std::string fresh(4 * kMegabyte, 'F');
    for (int round = 0; round < 6; ++round) {
        const bool by_client = round % 2 == 0;
        {
            Gate gone;
            auto served = upstream.serve([&](Connection& connection) {
                read_message(connection, false, true);
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(stale.size()) +
                                "\r\n\r\n");
                connection.send(by_client ? stale : stale.substr(0, 5 * kMegabyte));
                if (by_client) gone.wait();
            });
            auto client = plane.api();
            client.set_receive_buffer(64 * 1024);
            client.send(get());
            client.read_until("\r\n\r\n");
            if (!by_client) {
                std::size_t got = 0;
                for (auto piece = client.read_some(); !piece.empty(); piece = client.read_some())
                    got += piece.size();
                EXPECT_LT(got, stale.size());
            }
            client.close();
            EXPECT_TRUE(eventually([&] { return plane.metrics().relays_in_flight == 0; }));
            gone.open();
        }
        auto served = upstream.serve([&](Connection& connection) {
            read_message(connection, false, true);
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(fresh.size()) +
                            "\r\n\r\n" + fresh);
            connection.closes();
        });
        auto other = plane.api();
        other.send(get());
        other.read_until("\r\n\r\n");
        EXPECT_TRUE(other.read_exactly(fresh.size()) == fresh) << round;
    }
}

TEST_F(Streaming, ABigRequestArrivesWholeThoughTheApplicationIsSlow) {
    Gate may_read;
    std::atomic<bool> good = true;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        may_read.wait();
        Pattern expected;
        while (expected.position() < kBig && good) {
            auto piece = connection.read_some();
            if (piece.empty() || !expected.matches(piece)) good = false;
        }
        connection.send(ok("thanks"));
    });
    auto client = plane.api();
    client.send(post("Content-Length: " + std::to_string(kBig) + "\r\n"));
    Pattern pattern;
    auto sent = send_until_full(client, pattern, kBig);
    EXPECT_LT(sent, kMostInFlight) << "the proxy takes what the application does not read";
    may_read.open();
    Pattern rest;
    rest.next(sent);
    while (rest.position() < kBig)
        ASSERT_TRUE(client.send(rest.next(std::min(kBig - rest.position(), kMegabyte))));
    EXPECT_EQ(read_message(client).body, "thanks");
    EXPECT_TRUE(good);
}

// What is in a pipe when a request is broken off must not come up in another's.
TEST_F(Streaming, ABigRequestThatIsBrokenOffLeavesNothingToTheNext) {
    const std::string fresh(4 * kMegabyte, 'F');
    for (int round = 0; round < 6; ++round) {
        const bool by_client = round % 2 == 0;
        {
            Gate gone;
            auto served = upstream.serve([&](Connection& connection) {
                connection.read_until("\r\n\r\n");
                if (by_client) {
                    gone.wait();
                } else {
                    connection.read_exactly(kMegabyte);
                    connection.reset();
                }
            });
            auto client = plane.api();
            client.send(post("Content-Length: " + std::to_string(kBig) + "\r\n"));
            Pattern stale;
            send_until_full(client, stale, by_client ? kBig : 2 * kMegabyte);
            if (!by_client) EXPECT_EQ(read_message(client).status(), 502) << round;
            client.reset();
            EXPECT_TRUE(eventually([&] { return plane.metrics().relays_in_flight == 0; }));
            gone.open();
        }
        auto served = upstream.serve([&](Connection& connection) {
            connection.read_until("\r\n\r\n");
            const bool good = connection.read_exactly(fresh.size()) == fresh;
            connection.send(ok(good ? "good" : "bad"));
        });
        auto other = plane.api();
        other.send(post("Content-Length: " + std::to_string(fresh.size()) + "\r\n") + fresh);
        EXPECT_EQ(read_message(other).body, "good") << round;
    }
}

TEST_F(Streaming, ABigBodyInChunksArrivesAsItWasSent) {
    std::string body;
    for (int i = 0; i < 3000; ++i)
        body += "1000;n=" + std::to_string(i) + "\r\n" + std::string(4096, static_cast<char>('a' + i % 26)) +
                "\r\n";
    body += "0\r\n\r\n";
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        auto got = connection.read_exactly(body.size());
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + got);
        connection.closes();
    });
    auto client = plane.api();
    client.send(post("Transfer-Encoding: chunked\r\n") + body);
    client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.read_exactly(body.size()) == body);
}

TEST_F(Streaming, AnEarlyRefusalReachesAClientThatStillSends) {
    auto served = upstream.serve([](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge");
        connection.closes();
    });
    auto client = plane.api();
    client.send(post("Content-Length: 50000000\r\n") + std::string(100'000, 'x'));
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 413);
    EXPECT_EQ(answer.body, "large");
    EXPECT_EQ(answer.field("Connection"), "close");
    client.send(std::string(1000, 'x'));
    EXPECT_TRUE(client.closes());
    EXPECT_TRUE(eventually([&] { return plane.metrics().relays_in_flight == 0 && upstream.open() == 0; }));
}

TEST_F(Streaming, AnAnswerThatNeedsNoBodyReachesAClientThatStillSends) {
    auto served = upstream.serve([](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(ok("early"));
    });
    auto client = plane.api();
    client.send(post("Content-Length: 1000\r\n") + std::string(500, 'x'));
    EXPECT_EQ(read_message(client).body, "early");
    EXPECT_TRUE(client.closes());
}

TEST_F(Streaming, AClientThatGoesFreesTheUpstreamAtOnce) {
    struct Case {
        const char* name;
        std::string request;
        bool answers;
    };
    for (const auto& [name, request, answers] :
         {Case{"waiting for the answer", get(), false}, Case{"in the middle of the answer", get(), true},
          Case{"in the middle of its body", post("Content-Length: 100\r\n") + "half", false},
          Case{"in the middle of its large body",
               post("Content-Length: 5000000\r\n") + std::string(kMegabyte, 'x'), false},
          Case{"in the middle of a chunk", post("Transfer-Encoding: chunked\r\n") + "5\r\nab", true}}) {
        Gate arrived;
        Gate freed;
        auto served = upstream.serve([&, answer = answers](Connection& connection) {
            connection.read_until("\r\n\r\n");
            if (answer) connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
            arrived.open();
            if (connection.closes()) freed.open();
        });
        auto client = plane.api();
        client.send(request);
        ASSERT_TRUE(arrived.wait()) << name;
        if (answers) client.read_until("1\r\na\r\n");
        client.close();
        EXPECT_TRUE(freed.wait()) << name;
        EXPECT_TRUE(eventually([&] { return plane.metrics().relays_in_flight == 0 && upstream.open() == 0; }))
            << name;
    }
    EXPECT_EQ(plane.metrics().requests_aborted, 5U);
    EXPECT_TRUE(eventually([&] { return route.use->requests_in_flight == 0; }));
}

TEST_F(Streaming, AnApiAnswerMayComePieceByPiece) {
    plane.api_handler = [](http::Request) -> Task<http::Response> {
        http::Response response;
        response.next_piece = [pieces = 0]() mutable -> Task<std::optional<std::string>> {
            if (++pieces > 3) co_return std::nullopt;
            co_return "piece" + std::to_string(pieces);
        };
        co_return response;
    };
    auto client = plane.api();
    EXPECT_THAT(ask(client, plane.get("/api/events")).body,
                StartsWith("6\r\npiece1\r\n6\r\npiece2\r\n6\r\npiece3\r\n0\r\n\r\n"));
    client.send("GET /api/events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\npiece1piece2piece3"));
}

TEST_F(Streaming, TheSourceOfPiecesEndsWhenTheClientGoes) {
    auto alive = std::make_shared<int>(0);
    std::weak_ptr<int> watch = alive;
    plane.api_handler = [&](http::Request) -> Task<http::Response> {
        http::Response response;
        response.next_piece = [held = std::exchange(alive, nullptr),
                               first = true]() mutable -> Task<std::optional<std::string>> {
            if (std::exchange(first, false)) co_return "first";
            asio::steady_timer never(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max());
            co_await never.async_wait(asio::use_awaitable);
            co_return std::nullopt;
        };
        co_return response;
    };
    auto client = plane.api();
    client.send(plane.get("/api/events"));
    client.read_until("first\r\n");
    client.close();
    EXPECT_TRUE(eventually([&] { return watch.expired() && plane.metrics().connections_open == 0; }));
}

// An answer of the API that goes on and on.
TEST_F(Streaming, AnAnswerEndsAtTheEndThatTheSignInHas) {
    plane.token_ends_at =
        std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()) + 500ms;
    Gate over;
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        over.wait();
    });
    auto client = plane.api();
    client.send(get());
    EXPECT_THAT(client.read_until("first"), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(client.closes());
    EXPECT_GE(std::chrono::system_clock::now(), *plane.token_ends_at);
    over.open();
}

struct ApiStream : Streaming {
    ApiStream() {
        plane.api_handler = [this](http::Request request) -> Task<http::Response> {
            if (before_answer) before_answer();
            http::Response response;
            response.caller = caller;
            if (request.target == "/api/download") response.length = 1000;
            response.next_piece = [first = true]() mutable -> Task<std::optional<std::string>> {
                if (std::exchange(first, false)) co_return "first";
                asio::steady_timer never(co_await asio::this_coro::executor,
                                         asio::steady_timer::time_point::max());
                co_await never.async_wait(asio::use_awaitable);
                co_return std::nullopt;
            };
            co_return response;
        };
    }
    Connection opened(const std::string& path = "/api/events") {
        auto client = plane.api();
        client.send(plane.get(path));
        client.read_until(path == "/api/download" ? "first" : "first\r\n");
        return client;
    }

    std::function<void()> before_answer;
    http::Caller caller{.user = plane.user.str(), .session = plane.session.str(), .api_token = {}};
};

TEST_F(ApiStream, EndsWithTheSessionOfWhoeverAsked) {
    auto events = opened();
    auto download = opened("/api/download");
    caller.session = base::SessionId::generate().str();
    auto other = opened();
    plane.revoke({.user = {}, .session = plane.session, .api_token = {}, .except_session = {}});
    EXPECT_TRUE(events.closes());
    EXPECT_TRUE(download.closes());
    EXPECT_TRUE(other.is_silent_for(50ms)) << "of another session";
    plane.revoke({.user = plane.user, .session = {}, .api_token = {}, .except_session = {}});
    EXPECT_TRUE(other.closes());
    EXPECT_TRUE(eventually([&] { return plane.metrics().connections_open == 0; }));
}

TEST_F(ApiStream, EndsWithTheTokenOfWhoeverAsked) {
    const auto token = base::ApiTokenId::generate();
    caller = {.user = plane.user.str(), .session = {}, .api_token = token.str()};
    auto client = opened();
    plane.revoke({.user = {}, .session = plane.session, .api_token = {}, .except_session = {}});
    EXPECT_TRUE(client.is_silent_for(50ms));
    plane.revoke({.user = {}, .session = {}, .api_token = token, .except_session = {}});
    EXPECT_TRUE(client.closes());
}

TEST_F(ApiStream, EndsAtTheEndThatTheSignInHas) {
    const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
    caller.ends_at = now + 500ms;
    auto events = opened();
    auto download = opened("/api/download");
    caller.ends_at = now + 1h;
    auto other = opened();
    EXPECT_TRUE(events.closes());
    EXPECT_TRUE(download.closes());
    EXPECT_GE(std::chrono::system_clock::now(), now + 500ms);
    EXPECT_TRUE(other.is_silent_for(50ms));
}

TEST_F(ApiStream, DoesNotBeginForASessionThatEndedMeanwhile) {
    before_answer = [this] {
        plane.plane->revoke({.user = {}, .session = plane.session, .api_token = {}, .except_session = {}});
    };
    auto client = plane.api();
    client.send(plane.get("/api/events"));
    EXPECT_THAT(client.read_to_end(), testing::Not(HasSubstr("first")));
}

TEST_F(ApiStream, IsNobodysWhereNobodyWasAsked) {
    caller = {};
    auto client = opened();
    plane.revoke({.user = plane.user, .session = plane.session, .api_token = {}, .except_session = {}});
    EXPECT_TRUE(client.is_silent_for(50ms));
}

}  // namespace
}  // namespace agentdb9::test
