// How long a body and a whole request may take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::uint64_t hits(const Plane& plane, proxy::LimitHit limit) {
    return plane.metrics().limits_hit[static_cast<std::size_t>(limit)];
}

std::string post(const std::string& path, const std::string& body = "half") {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + kBearer + "Content-Length: 100000\r\n\r\n" + body;
}

// Reads what it is sent, and says nothing.
void silent(Connection& connection) {
    connection.closes();
}

proxy::Options with(std::chrono::milliseconds stall, std::chrono::milliseconds total) {
    proxy::Options options;
    options.limits.stall = stall;
    options.limits.total = total;
    options.limits.linger = 200ms;
    return options;
}

void expect_too_slow(Connection& client) {
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 408);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"request_timeout\""));
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client.closes());
}

TEST(ABodyThatStalls, Is408AndFreesTheApplication) {
    Upstream upstream(silent);
    Plane plane(with(300ms, 0ms));
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    client.send(post(Plane::proxy(route, "/")));
    expect_too_slow(client);
    EXPECT_TRUE(eventually([&] { return upstream.open() == 0; }));
    EXPECT_EQ(hits(plane, proxy::LimitHit::kBody), 1U);
}

// It takes the way through the kernel.
TEST(ABodyThatStalls, Is408ThoughItIsLarge) {
    Upstream upstream(silent);
    Plane plane(with(300ms, 0ms));
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    client.send("POST " + Plane::proxy(route, "/") + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
                "Content-Length: 5000000\r\n\r\n" + std::string(1'000'000, 'x'));
    expect_too_slow(client);
    EXPECT_TRUE(eventually([&] { return upstream.open() == 0; }));
    EXPECT_EQ(hits(plane, proxy::LimitHit::kBody), 1U);
}

TEST(ABodyThatStalls, OnItsWayToTheApiIs408) {
    Plane plane(with(300ms, 0ms));
    auto client = plane.api();
    client.send(post("/api/x"));
    expect_too_slow(client);
    EXPECT_EQ(hits(plane, proxy::LimitHit::kBody), 1U);
}

TEST(ARequestWithoutAnAnswer, Is504WhenItsWholeTimeIsOver) {
    Upstream upstream(silent);
    Plane plane(with(120s, 100ms));
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_EQ(answer.status(), 504);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_timeout\""));
    EXPECT_TRUE(eventually([&] { return upstream.open() == 0; }));
    EXPECT_EQ(hits(plane, proxy::LimitHit::kTotal), 1U);
    EXPECT_EQ(hits(plane, proxy::LimitHit::kUpstreamHead), 0U);
}

TEST(ARequestThatNeverEnds, IsCutWhenItsWholeTimeIsOver) {
    Upstream upstream([](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        connection.closes();
    });
    Plane plane(with(120s, 1s));
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_THAT(client.read_until("x\r\n"), HasSubstr("200 OK"));
    EXPECT_EQ(client.read_to_end(), "") << "without the last chunk: nobody takes it for the whole";
    EXPECT_TRUE(eventually([&] { return upstream.open() == 0; }));
    EXPECT_EQ(hits(plane, proxy::LimitHit::kTotal), 1U);
}

// Each byte is progress, so that only the time of the whole can end it.
TEST(ABodyByteByByte, Is408OnItsWayToTheApiWhenTheWholeTimeIsOver) {
    Plane plane(with(120s, 100ms));
    auto client = plane.api();
    client.send(post("/api/x"));
    while (client.is_silent_for(20ms))
        if (!client.send("x")) break;
    expect_too_slow(client);
    EXPECT_EQ(hits(plane, proxy::LimitHit::kTotal), 1U);
    EXPECT_EQ(hits(plane, proxy::LimitHit::kBody), 0U);
}

TEST(ABodyByteByByte, OfARefusedRequestDoesNotHoldItsAnswerBack) {
    Upstream upstream(silent);
    Plane plane(with(120s, 100ms));
    auto& route = plane.add(upstream.port(), plane.user);
    // Refused at once, and for the time that the whole took.
    for (auto [fields, status] : {std::pair(std::string(), 401), std::pair(kBearer, 504)}) {
        auto client = plane.api();
        client.send("POST " + Plane::proxy(route, "/") + " HTTP/1.1\r\nHost: a\r\n" + fields +
                    "Content-Length: 500\r\n\r\n");
        int sent = 0;
        while (sent < 500 && client.is_silent_for(20ms) && client.send("x"))
            ++sent;
        auto answer = read_message(client);
        EXPECT_EQ(answer.status(), status);
        EXPECT_EQ(answer.field("Connection"), "close");
        EXPECT_LT(sent, 500) << "the whole body was waited for";
    }
}

TEST(TheTimeOfAWholeRequest, IsNotThatOfATunnelOrAConnection) {
    Upstream upstream([](Connection& connection) {
        while (true) {
            auto head = connection.read_until("\r\n\r\n");
            if (head.empty()) return;
            if (head.contains("/hang")) {
                connection.closes();
                return;
            }
            if (!head.contains("Upgrade")) {
                connection.send(ok("fine"));
                continue;
            }
            connection.send("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            for (auto bytes = connection.read_some(); !bytes.empty(); bytes = connection.read_some())
                connection.send(bytes);
            return;
        }
    });
    Plane plane(with(120s, 1s));
    auto& route = plane.add(upstream.port(), plane.user);
    auto tunnel = plane.api();
    tunnel.send(
        plane.get(Plane::proxy(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    EXPECT_THAT(tunnel.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    auto kept = plane.api();
    EXPECT_EQ(ask(kept, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200);
    // One that began later is over by now.
    auto late = plane.api();
    EXPECT_EQ(ask(late, plane.get(Plane::proxy(route, "/hang"), kBearer)).status(), 504);
    EXPECT_TRUE(tunnel.send("still here"));
    EXPECT_EQ(tunnel.read_exactly(10), "still here");
    EXPECT_EQ(ask(kept, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200);
    tunnel.close();
    late.close();
}

}  // namespace
}  // namespace agentdb9::test
