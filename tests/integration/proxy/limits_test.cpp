// What the data plane allows, and what it gives back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

proxy::Options small() {
    proxy::Options options;
    options.limits.head = 500ms;
    options.limits.api_body_bytes = 1000;
    options.limits.linger = 200ms;
    return options;
}

struct LimitsTest : testing::Test {
    Upstream upstream{answering([](const Message& request) { return ok(request.body); })};
    Plane plane{small()};
    model::Route& route = plane.add(upstream.port(), plane.user);
};

TEST_F(LimitsTest, ALargeHeadIs431) {
    auto client = plane.api();
    auto answer = ask(client, plane.get("/", "X: " + std::string(33'000, 'x') + "\r\n"));
    EXPECT_EQ(answer.status(), 431);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"head_too_large\""));
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client.closes());
    auto full = plane.api();
    EXPECT_EQ(ask(full, plane.get("/api/x", "X: " + std::string(30'000, 'x') + "\r\n")).status(), 200);
}

TEST_F(LimitsTest, ASlowHeadIs408) {
    auto client = plane.api();
    client.send("GET / HTTP/1.1\r\nHo");
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 408);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"request_timeout\""));
    EXPECT_TRUE(client.closes());
}

TEST_F(LimitsTest, AnIdleConnectionEndsWithoutAWord) {
    auto options = small();
    options.limits.idle_connection = 100ms;
    Plane idle(options);
    auto client = idle.api();
    EXPECT_EQ(ask(client, idle.get("/api/x")).status(), 200);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(LimitsTest, ALargeBodyForTheApiIs413) {
    for (std::string request :
         {"Content-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
          "Content-Length: 1000000000\r\n\r\n" + std::string(5000, 'x'),
          "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n"}) {
        auto client = plane.api();
        auto answer = ask(client, "POST /api/x HTTP/1.1\r\nHost: a\r\n" + request);
        EXPECT_EQ(answer.status(), 413);
        EXPECT_THAT(answer.body, HasSubstr("\"code\":\"body_too_large\""));
    }
    auto client = plane.api();
    EXPECT_EQ(ask(client,
                  "POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'))
                  .status(),
              200);
    // Applications have no such limit.
    auto large = ask(client, "POST " + Plane::proxy(route, "/") + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
                                 "Content-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
    EXPECT_EQ(large.body.size(), 100'000U);
}

std::string post_to_api(std::size_t length, const std::string& fields = {},
                        std::size_t sent = std::string::npos) {
    return "POST /api/x HTTP/1.1\r\nHost: a\r\n" + fields + "Content-Length: " + std::to_string(length) +
           "\r\n\r\n" + std::string(std::min(sent, length), 'x');
}

TEST_F(LimitsTest, WhoIsNobodyHasLessRoomForABody) {
    auto options = small();
    options.limits.api_body_bytes = 10'000;
    options.limits.strangers_body_bytes = 1'000;
    Plane roomy(options);
    auto answer_to = [&](const std::string& request) {
        auto client = roomy.api();
        return ask(client, request);
    };
    const std::string chunked =
        "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n";
    for (const auto& request :
         {post_to_api(1001), post_to_api(10'000), "POST /api/x HTTP/1.1\r\nHost: a\r\n" + chunked}) {
        auto answer = answer_to(request);
        EXPECT_EQ(answer.status(), 413);
        EXPECT_THAT(answer.body, HasSubstr("access token"));
    }
    EXPECT_EQ(answer_to(post_to_api(1000)).status(), 200);
    EXPECT_EQ(roomy.authentications, 0) << "nobody is asked for what is small";
    for (const auto& request : {post_to_api(1001, kBearer), post_to_api(10'000, kBearer),
                                "POST /api/x HTTP/1.1\r\nHost: a\r\n" + kBearer + chunked})
        EXPECT_EQ(answer_to(request).status(), 200);
    EXPECT_EQ(answer_to(post_to_api(10'001, kBearer)).status(), 413);
    auto refused = answer_to(post_to_api(1001, "Authorization: Bearer bad\r\n"));
    EXPECT_EQ(refused.status(), 401);
    EXPECT_EQ(refused.field("WWW-Authenticate"), "Bearer");
}

TEST_F(LimitsTest, LargeBodiesHaveALimitTogetherAndSmallOnesGoOn) {
    auto options = small();
    options.limits.api_body_bytes = 10'000;
    options.limits.strangers_body_bytes = 1'000;
    options.limits.large_bodies_bytes = 5'000;
    Plane roomy(options);
    auto answer_to = [&](std::size_t length) {
        auto client = roomy.api();
        return ask(client, post_to_api(length, kBearer));
    };
    auto first = roomy.api();
    first.send(post_to_api(4000, kBearer, 3999));
    Message refused;
    ASSERT_TRUE(eventually([&] { return (refused = answer_to(2000)).status() == 503; }));
    EXPECT_EQ(refused.field("Retry-After"), "2");
    EXPECT_EQ(answer_to(1000).status(), 200);
    EXPECT_EQ(ask(first, "x").status(), 200);
    EXPECT_EQ(answer_to(5000).status(), 200);
    auto abandoned = roomy.api();
    abandoned.send(post_to_api(4000, kBearer, 3999));
    ASSERT_TRUE(eventually([&] { return answer_to(2000).status() == 503; }));
    abandoned.reset();
    EXPECT_TRUE(eventually([&] { return answer_to(5000).status() == 200; }));
}

TEST_F(LimitsTest, ConnectionsOverTheLimitHear503) {
    auto options = small();
    options.limits.connections_per_worker = 2;
    Plane busy(options);
    auto one = busy.api();
    auto two = busy.api();
    EXPECT_EQ(ask(one, busy.get("/api/x")).status(), 200);
    EXPECT_EQ(ask(two, busy.get("/api/x")).status(), 200);
    auto three = busy.api();
    auto answer = ask(three, busy.get("/api/x"));
    EXPECT_EQ(answer.status(), 503);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"too_many_connections\""));
    EXPECT_EQ(answer.field("Retry-After"), "2");
    EXPECT_TRUE(three.closes());
    one.close();
    EXPECT_TRUE(eventually([&] { return busy.metrics().connections_open == 1; }));
    auto four = busy.api();
    EXPECT_EQ(ask(four, busy.get("/api/x")).status(), 200);
    EXPECT_EQ(busy.metrics().connections_refused, 1U);
}

// Abandoned at every point of an exchange: all descriptors, on both sides, come back.
TEST_F(LimitsTest, ThePipeOfALargeBodyIsNotKeptForEver) {
    const std::string body(4'000'000, 'x');
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, true, true);
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
    });
    const auto base = descriptors();
    {
        auto client = plane.api();
        client.send(plane.get(Plane::proxy(route, "/"), kBearer + "Connection: close\r\n"));
        EXPECT_THAT(client.read_to_end(), EndsWith(body));
    }
    EXPECT_TRUE(eventually([&] { return descriptors() <= base; }))
        << descriptors() << " descriptors, " << base << " before";
}

TEST_F(LimitsTest, AbandonedConnectionsLeaveNothingBehind) {
    auto served = upstream.serve([](Connection& connection) {
        auto request = read_message(connection, true, true);
        if (request.head.contains("/hang")) {
            connection.closes();
        } else if (request.head.contains("/stream")) {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
            while (connection.send(std::string(100'000, 'x'))) {
            }
        } else if (request.head.contains("Upgrade")) {
            connection.send(
                "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
            connection.closes();
        }
    });
    auto base = descriptors();
    auto get = [&](const std::string& rest, const std::string& fields = {}) {
        return plane.get(Plane::proxy(route, rest), kBearer + fields);
    };
    {
        std::vector<Connection> abandoned;
        for (int i = 0; i < 5; ++i) {
            for (const auto& bytes :
                 {std::string(), std::string("GET / HT"), get("/hang"), get("/stream"),
                  get("/s", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
                  "POST " + Plane::proxy(route, "/hang") + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
                      "Content-Length: 100\r\n\r\nhalf",
                  std::string("POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"),
                  get("/hang") + get("/hang") + get("/hang"), std::string("\x16\x03\x01\x02", 4)}) {
                abandoned.push_back(plane.api());
                abandoned.back().send(bytes);
            }
        }
        EXPECT_TRUE(eventually(
            [&] { return plane.metrics().tunnels_open == 5 && plane.metrics().relays_in_flight == 20; }));
        for (std::size_t i = 0; i < abandoned.size(); ++i)
            i % 2 == 0 ? abandoned[i].close() : abandoned[i].reset();
    }
    EXPECT_TRUE(eventually([&] { return descriptors() <= base && plane.metrics().connections_open == 0; }))
        << descriptors() << " descriptors, " << base << " before";
    EXPECT_EQ(plane.metrics().relays_in_flight, 0);
    EXPECT_EQ(plane.metrics().tunnels_open, 0);
    EXPECT_TRUE(eventually([&] { return route.use->requests_in_flight == 0; }));
    EXPECT_TRUE(eventually([&] { return route.use->open_sockets == 0; }));
    EXPECT_TRUE(eventually([&] { return upstream.open() == 0; }));
}

}  // namespace
}  // namespace agentdb9::test
