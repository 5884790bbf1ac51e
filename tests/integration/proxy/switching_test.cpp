// Routes that change under load: held, flipped, stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Switching : testing::Test {
    Plane plane{[] {
        proxy::Options options;
        options.workers = 2;
        return options;
    }()};

    static std::unique_ptr<Upstream> instance(const std::string& name) {
        return std::make_unique<Upstream>(answering([name](const Message& request) {
            return ok(name, request.head.contains("close: please") ? "Connection: close\r\n" : "");
        }));
    }
    void point(model::Route& route, const Upstream& at, const std::string& name) {
        route.state = model::RouteState::kReady;
        route.instance = name;
        route.published[8080] = {"127.0.0.1", at.port()};
        route.use = std::make_shared<model::InstanceUse>();
        plane.publish();
    }
};

TEST_F(Switching, RequestsWaitWhileTheWorkspaceIsHeld) {
    auto one = instance("one");
    auto& route = plane.add(one->port(), plane.user);
    route.state = model::RouteState::kHeld;
    plane.publish();
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_TRUE(client.is_silent_for(100ms));
    point(route, *one, "i-1");
    EXPECT_EQ(read_message(client).body, "one");
}

TEST(Held, RequestsDoNotWaitForEver) {
    proxy::Options options;
    options.limits.hold = 200ms;
    Plane plane(options);
    auto& route = plane.add(1, plane.user);
    route.state = model::RouteState::kHeld;
    plane.publish();
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_EQ(answer.status(), 503);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"workspace_not_ready\""));
    EXPECT_EQ(answer.field("Retry-After"), "2");
}

TEST_F(Switching, WhatIsStoppedIsRefusedAtOnce) {
    auto& route = plane.add(1, plane.user);
    route.state = model::RouteState::kStopped;
    plane.publish();
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_EQ(answer.status(), 503);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"workspace_not_running\""));
}

TEST_F(Switching, AHeldRequestHearsThatTheWorkspaceStoppedOrWent) {
    auto& route = plane.add(1, plane.user);
    route.state = model::RouteState::kHeld;
    plane.publish();
    auto stopped = plane.api();
    stopped.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(eventually([&] { return plane.authentications == 1; }));
    route.state = model::RouteState::kStopped;
    plane.publish();
    EXPECT_EQ(read_message(stopped).status(), 503);
    route.state = model::RouteState::kHeld;
    plane.publish();
    auto gone = plane.api();
    gone.send(plane.get(Plane::proxy(route, "/"), kBearer));
    auto path = Plane::proxy(route, "/");
    plane.routes.clear();
    plane.publish();
    EXPECT_EQ(read_message(gone).status(), 404);
}

TEST_F(Switching, BeforeTheFirstTableRequestsWaitAsWell) {
    auto one = instance("one");
    auto id = base::WorkspaceId::generate();
    auto client = plane.api();
    client.send(plane.get("/api/workspaces/" + id.str() + "/proxy/", kBearer));
    EXPECT_TRUE(client.is_silent_for(100ms));
    model::Route route{id, plane.user, "vscode", 8080, true, model::RouteState::kReady, "i-1", {}, {}, {}};
    route.published[8080] = {"127.0.0.1", one->port()};
    plane.routes.push_back(route);
    plane.publish();
    EXPECT_EQ(read_message(client).body, "one");
}

TEST_F(Switching, ARequestWhoseInstanceDiesBeforeItAnswersGoesToTheNext) {
    Gate asked;
    Gate flipped;
    Upstream dying([&](Connection& connection) {
        read_message(connection, false, true);
        asked.open();
        flipped.wait();
    });
    auto two = instance("two");
    auto& route = plane.add(dying.port(), plane.user);
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(asked.wait());
    point(route, *two, "i-2");
    flipped.open();
    EXPECT_EQ(read_message(client).body, "two");
}

TEST_F(Switching, AnAnswerUnderWayIsFinishedByTheInstanceThatBeganIt) {
    Gate asked;
    Gate flipped;
    Upstream old([&](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nold");
        asked.open();
        flipped.wait();
        connection.send("est");
    });
    auto two = instance("two");
    auto& route = plane.add(old.port(), plane.user);
    auto use = route.use;
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(asked.wait());
    point(route, *two, "i-2");
    EXPECT_EQ(use->requests_in_flight, 1);
    flipped.open();
    EXPECT_EQ(read_message(client).body, "oldest");
    EXPECT_TRUE(eventually([&] { return use->requests_in_flight == 0; }));
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), kBearer)).body, "two");
}

// The promise of a switch: under load, with the route flipped and held again and again and each old instance
// gone as soon as its use says that nothing runs on it, no request fails.
TEST_F(Switching, NoRequestFailsWhileTheRouteFlips) {
    constexpr int kClients = 24;
    constexpr int kFlips = 12;
    auto current = instance("i-0");
    auto& route = plane.add(current->port(), plane.user);
    auto path = Plane::proxy(route, "/");
    std::atomic<bool> over = false;
    std::atomic<int> done = 0;
    std::mutex mutex;
    std::vector<std::string> failures;
    std::vector<std::thread> clients;
    for (int number = 0; number < kClients; ++number) {
        clients.emplace_back([&, number] {
            auto client = plane.api();
            for (int i = 0; !over; ++i) {
                // Some on connections that the application closes, some that the client does, some with
                // bodies.
                std::string request;
                if (number % 3 == 0)
                    request = "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
                              "Content-Length: 4\r\n\r\nbody";
                else
                    request =
                        plane.get(path, kBearer + (number % 3 == 1 && i % 7 == 0 ? "close: please\r\n" : ""));
                if (number % 5 == 0) client = plane.api();
                auto answer = ask(client, request);
                ++done;
                if (answer.status() == 200 && answer.body.starts_with("i-")) continue;
                std::lock_guard lock(mutex);
                failures.push_back(answer.head + answer.body);
                client = plane.api();
            }
        });
    }
    for (int flip = 1; flip <= kFlips; ++flip) {
        auto before = done.load();
        EXPECT_TRUE(eventually([&] { return done > before + 3 * kClients; }));
        auto name = "i-" + std::to_string(flip);
        auto next = instance(name);
        auto use = route.use;
        if (flip % 3 == 0) {
            // Sequential: held first, the old one stops, then the new one serves.
            route.state = model::RouteState::kHeld;
            plane.publish();
            EXPECT_TRUE(eventually([&] { return use->requests_in_flight == 0; }));
            current.reset();
            point(route, *next, name);
        } else {
            point(route, *next, name);
            EXPECT_TRUE(eventually([&] { return use->requests_in_flight == 0; }));
        }
        current = std::move(next);
    }
    over = true;
    for (auto& client : clients)
        client.join();
    EXPECT_EQ(failures.size(), 0U) << failures.front();
    EXPECT_GE(done, kFlips * 3 * kClients);
}

}  // namespace
}  // namespace agentdb9::test
