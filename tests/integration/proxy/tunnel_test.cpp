// WebSocket and other protocols behind a 101.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    "x\r\n\r\n";

// An unmasked frame, as a server sends it.
std::string frame(unsigned char opcode, std::string_view payload) {
    std::string text(1, static_cast<char>(0x80U | opcode));
    if (payload.size() < 126) {
        text += static_cast<char>(payload.size());
    } else if (payload.size() < 65'536) {
        text += {static_cast<char>(126), static_cast<char>(payload.size() >> 8),
                 static_cast<char>(payload.size() & 0xff)};
    } else {
        text += static_cast<char>(127);
        for (int shift = 56; shift >= 0; shift -= 8)
            text += static_cast<char>(payload.size() >> shift & 0xff);
    }
    return text.append(payload);
}

std::string close_frame(int code, std::string_view reason) {
    return frame(
        8, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason));
}

// Shakes hands, then sends back what comes.
void echo(Connection& connection) {
    connection.read_until("\r\n\r\n");
    connection.send(kSwitch);
    while (true) {
        auto bytes = connection.read_some();
        if (bytes.empty() || !connection.send(bytes)) return;
    }
}

struct Tunnel : testing::Test {
    Upstream upstream{echo};
    Plane plane{[] {
        proxy::Options options;
        options.limits.tunnel_close = 300ms;
        return options;
    }()};
    model::Route& route = plane.add(upstream.port(), plane.user);

    std::string handshake(const std::string& fields = {}) {
        return plane.get(
            Plane::proxy(route, "/socket"),
            kBearer +
                "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"
                "Sec-WebSocket-Version: 13\r\n" +
                fields);
    }
    Connection opened() {
        auto client = plane.api();
        client.send(handshake());
        EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
        return client;
    }
    bool all_freed() {
        return eventually([&] {
            return plane.metrics().tunnels_open == 0 && plane.metrics().connections_open == 0 &&
                   upstream.open() == 0 && route.use->open_sockets == 0 && route.use->requests_in_flight == 0;
        });
    }
};

// What an idle stop goes by: bytes that move, not that a socket is open.
TEST_F(Tunnel, NotesWhenSomethingLastMoved) {
    route.use = std::make_shared<model::InstanceUse>();
    plane.publish();
    const auto use = route.use;
    auto client = opened();
    EXPECT_GT(use->last_request_ms.load(), 0) << "the handshake is a request";
    client.send("ping");
    EXPECT_EQ(client.read_exactly(4), "ping");
    ASSERT_TRUE(eventually([&] { return use->last_frame_ms.load() > 0; }));
    // The worker looks once a second: by the time that it has looked twice more nothing new was noted.
    const auto noted = use->last_frame_ms.load();
    client.send("pong");
    EXPECT_EQ(client.read_exactly(4), "pong");
    ASSERT_TRUE(eventually([&] { return use->last_frame_ms.load() > noted; }));
}

TEST_F(Tunnel, BytesPassBothWays) {
    auto client = opened();
    client.send(frame(1, "hello"));
    EXPECT_EQ(client.read_exactly(7), frame(1, "hello"));
    EXPECT_EQ(plane.metrics().tunnels_open, 1);
    EXPECT_EQ(route.use->open_sockets, 1);
    EXPECT_EQ(route.use->requests_in_flight, 0);
    client.close();
    EXPECT_TRUE(all_freed());
    EXPECT_EQ(plane.metrics().tunnels_closed_by_us, 0U);
}

TEST_F(Tunnel, TheHandshakePassesUntouched) {
    std::string seen;
    Gate read;
    auto served = upstream.serve([&](Connection& connection) {
        seen = connection.read_until("\r\n\r\n");
        read.open();
        connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
            "Upgrade\r\nSec-WebSocket-Accept: x\r\n"
            "Sec-WebSocket-Protocol: two\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: "
            "a=b\r\n\r\n" +
            frame(1, "first"));
        connection.closes();
    });
    auto client = plane.api();
    client.send(
        handshake("Sec-WebSocket-Protocol: one, two\r\nSec-WebSocket-Extensions: "
                  "permessage-deflate\r\nOrigin: http://agentdb9.test\r\n"));
    auto head = client.read_until("\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Protocol: two\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Set-Cookie")));
    EXPECT_EQ(client.read_exactly(7), frame(1, "first"));
    ASSERT_TRUE(read.wait());
    EXPECT_THAT(seen, StartsWith("GET /socket HTTP/1.1\r\nHost: agentdb9.test\r\n"));
    for (const char* field : {"Sec-WebSocket-Key: k", "Sec-WebSocket-Protocol: one, two",
                              "Upgrade: websocket", "Connection: Upgrade", "Origin: http://agentdb9.test"})
        EXPECT_THAT(seen, HasSubstr(std::string("\r\n") + field + "\r\n"));
    EXPECT_THAT(seen, Not(HasSubstr("good")));
}

TEST_F(Tunnel, LargeFramesPassWhole) {
    auto client = opened();
    auto large = frame(2, std::string(8UL * 1024 * 1024, 'x'));
    std::thread sender([&] { client.send(large); });
    EXPECT_TRUE(client.read_exactly(large.size()) == large);
    sender.join();
}

TEST_F(Tunnel, WhatTheClientSendsWithTheHandshakeIsNotLost) {
    auto client = plane.api();
    client.send(handshake() + frame(1, "eager"));
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_exactly(7), frame(1, "eager"));
}

TEST_F(Tunnel, CloseCodesOfTheApplicationPass) {
    auto served = upstream.serve([](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitch + close_frame(4001, "bye"));
    });
    auto client = opened();
    EXPECT_EQ(client.read_to_end(), close_frame(4001, "bye"));
    client.close();
    EXPECT_TRUE(all_freed());
}

TEST_F(Tunnel, ARefusedHandshakeIsAnAnswerLikeAnyOther) {
    auto served = upstream.serve(answering([](const Message&) {
        return std::string("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno");
    }));
    auto client = plane.api();
    auto answer = ask(client, handshake());
    EXPECT_EQ(answer.status(), 426);
    EXPECT_EQ(answer.body, "no");
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
}

TEST_F(Tunnel, APageOfAnotherOriginIsRefused) {
    for (std::string origin : {"http://evil.example", "https://agentdb9.test", "http://agentdb9.test:81",
                               "null", "", "http://agentdb9.test.evil"}) {
        auto client = plane.api();
        auto answer = ask(client, handshake("Origin: " + origin + "\r\n"));
        EXPECT_EQ(answer.status(), 403) << origin;
        EXPECT_THAT(answer.body, HasSubstr("\"code\":\"foreign_origin\""));
    }
    EXPECT_EQ(upstream.accepted(), 0);
    auto apps = plane.apps();
    auto answer =
        ask(apps, plane.get(Plane::app(route, "/"),
                            Plane::cookie(route) +
                                "Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://evil\r\n"));
    EXPECT_EQ(answer.status(), 403);
}

TEST_F(Tunnel, RevocationClosesWith1008) {
    auto client = opened();
    auto foreign = opened();
    plane.revoke({base::UserId::generate(), {}, {}, {}});
    client.send(frame(1, "still"));
    EXPECT_EQ(client.read_exactly(7), frame(1, "still"));
    plane.revoke({{}, plane.session, {}, {}});
    EXPECT_EQ(client.read_to_end(), close_frame(1008, "signed out"));
    EXPECT_EQ(foreign.read_to_end(), close_frame(1008, "signed out"));
    client.close();
    foreign.close();
    EXPECT_TRUE(all_freed());
    EXPECT_EQ(plane.metrics().tunnels_closed_by_us, 2U);
}

TEST_F(Tunnel, TheEndOfTheSignInClosesWith1008) {
    plane.token_ends_at =
        std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()) + 500ms;
    auto client = opened();
    EXPECT_EQ(client.read_to_end(), close_frame(1008, "signed out"));
    EXPECT_GE(std::chrono::system_clock::now(), *plane.token_ends_at);
    client.close();
    EXPECT_TRUE(all_freed());
}

TEST_F(Tunnel, AnotherInstanceClosesWith1012) {
    auto client = opened();
    // Held: the instance may be serving still.
    route.state = model::RouteState::kHeld;
    plane.publish();
    client.send(frame(1, "still"));
    EXPECT_EQ(client.read_exactly(7), frame(1, "still"));
    route.state = model::RouteState::kReady;
    plane.publish();
    client.send(frame(1, "still"));
    EXPECT_EQ(client.read_exactly(7), frame(1, "still"));
    route.instance = "another";
    plane.publish();
    EXPECT_EQ(client.read_to_end(), close_frame(1012, "the workspace stopped or restarts"));
}

TEST_F(Tunnel, AWorkspaceThatStopsOrGoesClosesWith1012) {
    auto client = opened();
    route.state = model::RouteState::kStopped;
    plane.publish();
    EXPECT_EQ(client.read_to_end(), close_frame(1012, "the workspace stopped or restarts"));
    route.state = model::RouteState::kReady;
    plane.publish();
    auto other = opened();
    plane.routes.clear();
    plane.publish();
    EXPECT_EQ(other.read_to_end(), close_frame(1012, "the workspace stopped or restarts"));
}

TEST_F(Tunnel, DrainingClosesWith1001) {
    auto client = opened();
    std::thread reader([&] {
        EXPECT_EQ(client.read_to_end(), close_frame(1001, "the server is going away"));
        client.close();
    });
    plane.on_control(plane.plane->drain(10s));
    reader.join();
}

TEST_F(Tunnel, OurCloseFrameWaitsForTheEndOfTheApplications) {
    Gate half;
    Gate revoked;
    auto message = frame(1, std::string(1000, 'x'));
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitch + message.substr(0, 500));
        half.open();
        revoked.wait();
        connection.send(message.substr(500) + frame(1, "never seen"));
        connection.closes();
    });
    auto client = opened();
    client.read_exactly(500);
    plane.revoke({plane.user, {}, {}, {}});
    revoked.open();
    EXPECT_EQ(client.read_to_end(), message.substr(500) + close_frame(1008, "signed out"));
}

TEST_F(Tunnel, AFrameThatNeverEndsIsCut) {
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitch + frame(1, std::string(1000, 'x')).substr(0, 500));
        connection.closes();
    });
    auto client = opened();
    client.read_exactly(500);
    plane.revoke({plane.user, {}, {}, {}});
    // Its half closed, it has no more time than before.
    client.shutdown_send();
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_TRUE(all_freed());
}

TEST_F(Tunnel, AClientThatReadsNothingIsCut) {
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitch);
        auto message = frame(2, std::string(100'000, 'x'));
        while (connection.send(message)) {
        }
    });
    auto client = opened();
    plane.revoke({plane.user, {}, {}, {}});
    EXPECT_TRUE(eventually([&] { return plane.metrics().tunnels_open == 0; }));
}

TEST_F(Tunnel, NothingIsSaidBehindTheApplicationsOwnClose) {
    Gate closed;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitch + close_frame(1000, ""));
        closed.open();
        connection.closes();
    });
    auto client = opened();
    EXPECT_EQ(client.read_exactly(4), close_frame(1000, ""));
    plane.revoke({plane.user, {}, {}, {}});
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(Tunnel, ARevocationDuringTheHandshakeCounts) {
    Gate asked;
    Gate revoked;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        asked.open();
        revoked.wait();
        connection.send(kSwitch);
        connection.closes();
    });
    auto client = plane.api();
    client.send(handshake());
    ASSERT_TRUE(asked.wait());
    plane.revoke({plane.user, {}, {}, {}});
    revoked.open();
    EXPECT_THAT(client.read_to_end(), Not(HasSubstr("HTTP/1.1 101")));
}

struct OtherProtocol : Tunnel {
    Connection upgraded() {
        auto client = plane.api();
        client.send(
            plane.get(Plane::proxy(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: custom/1\r\n"));
        EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
        return client;
    }
    static constexpr auto kSwitchCustom =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: custom/1\r\nConnection: Upgrade\r\n\r\n";
};

TEST_F(OtherProtocol, BytesOfAnyKindPass) {
    auto served = upstream.serve([&](Connection& connection) {
        EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr("\r\nUpgrade: custom/1\r\n"));
        connection.send(kSwitchCustom);
        connection.send(connection.read_exactly(5));
    });
    auto client = upgraded();
    client.send(std::string("\x88\0\xff\x01\x7f", 5));
    EXPECT_EQ(client.read_exactly(5), std::string("\x88\0\xff\x01\x7f", 5));
}

TEST_F(OtherProtocol, AClientMayCloseItsHalfFirst) {
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitchCustom);
        auto all = connection.read_to_end();
        connection.send("got " + all);
    });
    auto client = upgraded();
    client.send("input");
    client.shutdown_send();
    EXPECT_EQ(client.read_to_end(), "got input");
    client.close();
    EXPECT_TRUE(all_freed());
}

TEST_F(OtherProtocol, AnApplicationMayCloseItsHalfFirst) {
    Gate read;
    std::string seen;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitchCustom + std::string("output"));
        connection.shutdown_send();
        seen = connection.read_to_end();
        read.open();
    });
    auto client = upgraded();
    EXPECT_EQ(client.read_to_end(), "output");
    client.send("input");
    client.close();
    ASSERT_TRUE(read.wait());
    EXPECT_EQ(seen, "input");
    EXPECT_TRUE(all_freed());
}

TEST_F(OtherProtocol, RevocationEndsAlsoHalfOfIt) {
    Gate half;
    Gate ended;
    std::string seen;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitchCustom);
        connection.shutdown_send();
        half.open();
        seen = connection.read_to_end();
        ended.open();
    });
    auto client = upgraded();
    ASSERT_TRUE(half.wait());
    EXPECT_EQ(client.read_to_end(), "");
    plane.revoke({plane.user, {}, {}, {}});
    client.send("too late");
    ASSERT_TRUE(ended.wait());
    EXPECT_EQ(seen, "");
    EXPECT_TRUE(all_freed());
}

TEST_F(OtherProtocol, AlsoWhereTheClientHasClosedItsHalf) {
    Gate half;
    Gate revoked;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send(kSwitchCustom);
        connection.read_to_end();
        half.open();
        revoked.wait();
        connection.send("too late");
        connection.closes();
    });
    auto client = upgraded();
    client.shutdown_send();
    ASSERT_TRUE(half.wait());
    plane.revoke({plane.user, {}, {}, {}});
    revoked.open();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(all_freed());
}

TEST_F(OtherProtocol, Http2IsNotLetPastTheChecks) {
    auto served = upstream.serve(answering([](const Message& request) { return ok(request.head); }));
    auto client = plane.api();
    auto answer =
        ask(client,
            plane.get(
                Plane::proxy(route, "/"),
                kBearer + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"));
    EXPECT_EQ(answer.status(), 200);
    EXPECT_THAT(answer.body, Not(HasSubstr("pgrade")));
    EXPECT_THAT(answer.body, Not(HasSubstr("HTTP2")));
}

}  // namespace
}  // namespace agentdb9::test
