// How many connections an address and a user may have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
const std::string kOthers = "Authorization: Bearer others\r\n";

proxy::Options with(std::size_t per_address, std::size_t per_user, std::vector<std::string> trusted = {}) {
    proxy::Options options;
    // The kernel spreads connections over the workers as it likes: the limits are of all of them together.
    options.workers = 3;
    options.limits.connections_per_address = per_address;
    options.limits.connections_per_user = per_user;
    options.limits.linger = std::chrono::milliseconds(200);
    options.trusted_proxies = std::move(trusted);
    return options;
}

// "/hang" is never answered, "Upgrade" opens a tunnel that echoes, all else is answered.
void serve(Connection& connection) {
    while (true) {
        auto request = read_message(connection, false, true);
        if (!request.head.ends_with("\r\n\r\n")) return;
        if (request.head.contains("/hang")) {
            connection.closes();
            return;
        }
        if (request.head.contains("Upgrade: ")) {
            connection.send("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            for (auto bytes = connection.read_some(); !bytes.empty(); bytes = connection.read_some())
                connection.send(bytes);
            return;
        }
        if (!connection.send(ok("fine"))) return;
    }
}

std::uint64_t hits(const proxy::Metrics& metrics, proxy::LimitHit limit) {
    return metrics.limits_hit[static_cast<std::size_t>(limit)];
}

struct Fixture {
    explicit Fixture(proxy::Options options) : plane(std::move(options)) {}

    Connection from(const std::string& address = {}) {
        return Connection::to(plane.plane->api_port(), address);
    }
    std::string request(const std::string& rest, const std::string& fields = kBearer) {
        return plane.get(Plane::proxy(route, rest), fields);
    }
    // 0: the connection ended without an answer.
    int status(Connection& client, const std::string& rest = "/", const std::string& fields = kBearer) {
        return ask(client, request(rest, fields)).status();
    }

    Upstream upstream{serve};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);
    model::Route& others = plane.add(upstream.port(), plane.other);
};

void expect_too_many(Connection& client, const Message& answer) {
    EXPECT_EQ(answer.status(), 429);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"too_many_connections\""));
    EXPECT_THAT(answer.body, HasSubstr("Close some of them"));
    EXPECT_EQ(answer.field("Retry-After"), "2");
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client.closes());
}

TEST(ConnectionsOfAnAddress, OverTheLimitHear429AndOtherAddressesDoNot) {
    Fixture f(with(2, 100));
    auto one = f.from();
    auto two = f.from();
    EXPECT_EQ(f.status(one), 200);
    EXPECT_EQ(f.status(two), 200);
    auto three = f.from();
    expect_too_many(three, ask(three, f.request("/")));
    auto elsewhere = f.from("127.0.0.2");
    EXPECT_EQ(f.status(elsewhere), 200);
    EXPECT_EQ(f.status(one), 200) << "those that are open go on";
    EXPECT_EQ(hits(f.plane.metrics(), proxy::LimitHit::kAddressConnections), 1U);
    EXPECT_EQ(f.plane.metrics().connections_refused, 1U);
    EXPECT_EQ(f.plane.metrics().refusals[proxy::refusal_index("too_many_connections")], 1U);
}

TEST(ConnectionsOfAnAddress, AreFreeAgainHoweverTheyEnded) {
    Fixture f(with(3, 100));
    for (int round = 0; round < 3; ++round) {
        auto closed = f.from();
        auto reset = f.from();
        auto tunnel = f.from();
        EXPECT_EQ(f.status(closed), 200);
        reset.send(f.request("/hang"));
        tunnel.send(f.request("/", kBearer + kUpgrade));
        EXPECT_THAT(tunnel.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
        ASSERT_TRUE(eventually([&] { return f.plane.metrics().relays_in_flight == 1; }));
        auto refused = f.from();
        EXPECT_EQ(f.status(refused), 429);
        closed.close();
        reset.reset();
        tunnel.reset();
        ASSERT_TRUE(eventually([&] { return f.plane.metrics().connections_open == 0; }));
    }
    auto last = f.from();
    EXPECT_EQ(f.status(last), 200);
}

TEST(ConnectionsOfAUser, OverTheLimitHear429WhereverTheyComeFrom) {
    Fixture f(with(100, 2));
    auto one = f.from();
    auto two = f.from("127.0.0.2");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(f.status(one), 200) << "a connection counts once";
        EXPECT_EQ(f.status(two), 200);
    }
    auto three = f.from("127.0.0.3");
    expect_too_many(three, ask(three, f.request("/")));
    auto socket = f.from();
    expect_too_many(socket, ask(socket, f.request("/", kBearer + kUpgrade)));
    auto other = f.from();
    EXPECT_EQ(ask(other, f.plane.get(Plane::proxy(f.others, "/"), kOthers)).status(), 200);
    auto api = f.from();
    EXPECT_EQ(ask(api, f.plane.get("/api/x", kBearer)).status(), 200);
    EXPECT_EQ(hits(f.plane.metrics(), proxy::LimitHit::kUserConnections), 2U);
    EXPECT_EQ(f.plane.metrics().connections_refused, 0U);
}

TEST(ConnectionsOfAUser, AreFreeAgainAfterACloseAndAnAbort) {
    Fixture f(with(100, 1));
    const auto opens_again = [&] {
        return eventually([&] {
            auto client = f.from();
            return f.status(client) == 200;
        });
    };
    for (int round = 0; round < 3; ++round) {
        {
            auto client = f.from();
            ASSERT_TRUE(eventually([&] { return f.plane.metrics().connections_open <= 1; }));
            client.send(f.request("/hang"));
            ASSERT_TRUE(eventually([&] { return f.plane.metrics().relays_in_flight == 1; }));
            auto refused = f.from();
            EXPECT_EQ(f.status(refused), 429);
            round % 2 == 0 ? client.reset() : client.close();
        }
        EXPECT_TRUE(opens_again());
        ASSERT_TRUE(eventually([&] { return f.plane.metrics().connections_open == 0; }));
    }
}

TEST(ConnectionsOfAUser, AConnectionThatAnotherUserTakesOverIsThatUsers) {
    Fixture f(with(100, 1));
    auto shared = f.from();
    EXPECT_EQ(f.status(shared), 200);
    EXPECT_EQ(ask(shared, f.plane.get(Plane::proxy(f.others, "/"), kOthers)).status(), 200);
    auto first = f.from();
    EXPECT_EQ(f.status(first), 200);
    auto second = f.from();
    EXPECT_EQ(ask(second, f.plane.get(Plane::proxy(f.others, "/"), kOthers)).status(), 429);
}

// Its connections carry requests of many: only what is upgraded is one client's.
TEST(ConnectionsOfATrustedProxy, CountForTheClientWhileTheyAreUpgraded) {
    Fixture f(with(1, 2, {"127.0.0.1"}));
    const auto by = [](const std::string& address) { return "X-Forwarded-For: " + address + "\r\n"; };
    std::vector<Connection> plain;
    for (int i = 0; i < 5; ++i) {
        plain.push_back(f.from());
        EXPECT_EQ(f.status(plain.back(), "/", kBearer + by("203.0.113.1")), 200);
    }
    auto open = f.from();
    open.send(f.request("/", kBearer + kUpgrade + by("203.0.113.1")));
    EXPECT_THAT(open.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    auto refused = f.from();
    expect_too_many(refused, ask(refused, f.request("/", kBearer + kUpgrade + by("203.0.113.1"))));
    EXPECT_EQ(hits(f.plane.metrics(), proxy::LimitHit::kAddressConnections), 1U);
    // The same /64 is the same client.
    auto six = f.from();
    six.send(f.request("/", kBearer + kUpgrade + by("2001:db8::1")));
    EXPECT_THAT(six.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    auto neighbour = f.from();
    EXPECT_EQ(f.status(neighbour, "/", kBearer + kUpgrade + by("2001:db8::2")), 429);
    // And two are all that the user may have.
    auto third = f.from();
    EXPECT_EQ(f.status(third, "/", kBearer + kUpgrade + by("203.0.113.7")), 429);
    EXPECT_EQ(hits(f.plane.metrics(), proxy::LimitHit::kUserConnections), 1U);
    open.reset();
    EXPECT_TRUE(eventually([&] {
        auto again = f.from();
        again.send(f.request("/", kBearer + kUpgrade + by("203.0.113.1")));
        return again.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 ");
    }));
}

TEST(Connections, AreNotLimitedToFewByDefault) {
    const proxy::Limits limits;
    EXPECT_GE(limits.connections_per_user, 1'000U);
    EXPECT_GE(limits.connections_per_address, 2'000U);
    EXPECT_GE(limits.connections_per_worker, limits.connections_per_address);
    EXPECT_EQ(limits.total.count(), 0);
}

}  // namespace
}  // namespace agentdb9::test
