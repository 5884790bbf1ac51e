// Who beside the owner may use a port: on its own host name, and nowhere else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using model::ShareLevel;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers with the head; a WebSocket handshake with a switch, and then nothing.
void serve(Connection& connection) {
    while (true) {
        auto request = read_message(connection, false, true);
        if (request.head.empty()) return;
        if (request.field("Upgrade") != "(none)") {
            connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            connection.read_to_end();
            return;
        }
        if (request.head.starts_with("GET /endless ")) {
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
            connection.read_to_end();
            return;
        }
        connection.send(ok(request.head));
    }
}

const std::string kSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

struct Shares : testing::Test {
    Upstream upstream{serve};
    Plane plane{[] {
        proxy::Options options;
        options.apps_domain = kAppsDomain;
        options.limits.tunnel_close = 300ms;
        return options;
    }()};
    model::Route& route = plane.add(upstream.port(), plane.user);
    const std::string host = Plane::host(route);
    const std::string others = "Cookie: agentdb9_app=" + Plane::others_cookie(route) + "\r\n";

    Message at(const std::string& name, const std::string& path, const std::string& fields = {}) {
        auto client = plane.apps();
        return ask(client, Plane::get_at(name, path, fields));
    }
    Message visit(const std::string& fields = {}) { return at(host, "/", fields); }
    // A socket that stands.
    Connection socket(const std::string& fields) {
        auto client = plane.apps();
        client.send(Plane::get_at(host, "/", fields + kSocket));
        EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
        return client;
    }
    static bool was_closed(Connection& client) {
        auto rest = client.read_to_end();
        return rest.size() > 4 && rest[2] == '\x03' && rest[3] == '\xf0';  // 1008
    }
};

TEST_F(Shares, WithoutOneOnlyTheOwnerGetsIn) {
    EXPECT_EQ(visit().status(), 401);
    EXPECT_EQ(visit(others).status(), 404);
    EXPECT_EQ(visit("Authorization: Bearer others\r\n").status(), 404);
    EXPECT_EQ(visit("Cookie: agentdb9_link=x\r\n").status(), 401);
    EXPECT_EQ(upstream.accepted(), 0);
    EXPECT_EQ(visit(Plane::cookie(route)).status(), 200);
}

TEST_F(Shares, PublicIsForEverybodyAndForThisPortOnly) {
    route.published[3000] = {"127.0.0.1", upstream.port()};
    auto& second = plane.add(upstream.port(), plane.user);
    plane.share(route, ShareLevel::kPublic);
    for (const auto& fields : {std::string(), others, std::string("Cookie: agentdb9_app=stale\r\n"),
                               Plane::cookie(second), std::string("Cookie: agentdb9_link=x\r\n")})
        EXPECT_EQ(visit(fields).status(), 200) << fields;
    EXPECT_EQ(at(Plane::host(route, 3000), "/").status(), 401);
    EXPECT_EQ(at(Plane::host(second), "/").status(), 401);
    EXPECT_EQ(at(Plane::host(route, 3000), "/", "Authorization: Bearer others\r\n").status(), 404);
    // Nor by any path, there or on the API's origin.
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"))).status(), 401);
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), "Authorization: Bearer others\r\n")).status(),
              404);
    EXPECT_EQ(at("apps.test", Plane::app(route, "/")).status(), 307);
    plane.share_nothing();
    EXPECT_EQ(visit().status(), 401);
}

TEST_F(Shares, NobodyIsAskedWhoComesWithoutACredential) {
    plane.share(route, ShareLevel::kPublic);
    EXPECT_EQ(visit().status(), 200);
    EXPECT_EQ(plane.authentications, 0);
    // One that is over is looked at once.
    auto client = plane.apps();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(client, Plane::get_at(host, "/", "Cookie: agentdb9_app=stale\r\n")).status(), 200);
    EXPECT_LE(plane.authentications, static_cast<int>(1));
}

TEST_F(Shares, TheApplicationsOwnSignInPassesAndOursNever) {
    plane.share(route, ShareLevel::kPublic);
    EXPECT_THAT(visit("Authorization: Basic YTpi\r\n").body, HasSubstr("Authorization: Basic YTpi\r\n"));
    EXPECT_THAT(visit("Authorization: Bearer its-own\r\n").body,
                HasSubstr("Authorization: Bearer its-own\r\n"));
    for (std::string ours :
         {"Bearer good", "Bearer others", "bearer good", "Bearer adb9_x", "Basic adb9_x"}) {
        auto answer = visit("Authorization: " + ours + "\r\n");
        EXPECT_EQ(answer.status(), 200) << ours;
        EXPECT_THAT(answer.body, Not(HasSubstr("Authorization"))) << ours;
    }
    auto answer = visit("Cookie: agentdb9_link=x; own=1; agentdb9_app=stale\r\n");
    EXPECT_THAT(answer.body, HasSubstr("Cookie: own=1\r\n"));
}

TEST_F(Shares, ATokenForAnotherWorkspaceIsWorthNoMoreThanNone) {
    const std::string bearer = "Authorization: Bearer others\r\n";
    plane.token_scope = {.power = model::TokenPower::kWrite, .workspace = base::WorkspaceId::generate()};
    plane.share(route, ShareLevel::kUsers);
    const auto refused = visit(bearer);
    EXPECT_EQ(refused.status(), 403);
    EXPECT_THAT(refused.body, HasSubstr("\"code\":\"token_scope\""));
    EXPECT_EQ(upstream.accepted(), 0);
    plane.share(route, ShareLevel::kPublic);
    EXPECT_EQ(visit(bearer).status(), 200);
}

TEST_F(Shares, UsersIsForWhoeverIsSignedInForThisPort) {
    plane.share(route, ShareLevel::kUsers);
    EXPECT_EQ(visit().status(), 401);
    EXPECT_EQ(visit(others).status(), 200);
    EXPECT_EQ(visit("Authorization: Bearer others\r\n").status(), 200);
    EXPECT_THAT(visit("Authorization: Bearer others\r\n").body, Not(HasSubstr("Authorization")));
    auto elsewhere = "Cookie: agentdb9_app=" + Plane::others_cookie(route, 3000) + "\r\n";
    EXPECT_EQ(visit(elsewhere).status(), 401);
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), "Authorization: Bearer others\r\n")).status(),
              404);
}

TEST_F(Shares, ALinkBecomesACookieOfThisHost) {
    auto end = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()) + 1h;
    plane.share(route, ShareLevel::kLink, "id.secret", end);
    EXPECT_EQ(visit().status(), 401);
    auto opened = at(host, "/deep?a&agentdb9_share=id.secret");
    EXPECT_EQ(opened.status(), 303);
    EXPECT_EQ(opened.field("Location"), "/deep?a");
    EXPECT_EQ(opened.field("Referrer-Policy"), "no-referrer");
    EXPECT_THAT(opened.field("Set-Cookie"),
                testing::ContainsRegex("^agentdb9_link=id\\.secret; Path=/; Max-Age=3[56][0-9][0-9];"));
    EXPECT_THAT(opened.field("Set-Cookie"), HasSubstr("; HttpOnly; SameSite=Lax"));
    EXPECT_EQ(visit("Cookie: agentdb9_link=id.secret\r\n").status(), 200);
    EXPECT_EQ(visit(others + "Cookie: agentdb9_link=id.secret\r\n").status(), 200);
    for (std::string bad : {"id.secre", "id.secret2", "ID.secret", ""})
        EXPECT_EQ(visit("Cookie: agentdb9_link=" + bad + "\r\n").status(), 401) << bad;
    auto refused = at(host, "/?agentdb9_share=id.wrong", Plane::cookie(route));
    EXPECT_EQ(refused.status(), 401);
    EXPECT_THAT(refused.body, HasSubstr("\"code\":\"share_invalid\""));
    EXPECT_EQ(refused.field("Set-Cookie"), "(none)");
    // What is open to all gives no cookie away for it.
    plane.share(route, ShareLevel::kPublic);
    EXPECT_EQ(at(host, "/?agentdb9_share=id.wrong").status(), 401);
    // The application never hears of it.
    EXPECT_THAT(
        at(host, "/", "Cookie: agentdb9_link=id.secret\r\nReferer: http://x/?agentdb9_share=id.secret\r\n")
            .body,
        Not(HasSubstr("secret")));
}

TEST_F(Shares, ATimeThatIsOverOpensNothingThoughTheTableStillHasIt) {
    auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
    plane.share(route, ShareLevel::kPublic, {}, now);
    plane.share(route, ShareLevel::kLink, "s", now);
    EXPECT_EQ(visit().status(), 401);
    EXPECT_EQ(visit(others).status(), 404);
    EXPECT_EQ(visit("Cookie: agentdb9_link=s\r\n").status(), 401);
    EXPECT_EQ(at(host, "/?agentdb9_share=s").status(), 401);
}

TEST_F(Shares, WhatStandsByAShareEndsWithIt) {
    plane.share(route, ShareLevel::kUsers);
    plane.share(route, ShareLevel::kLink, "s");
    auto user = socket(others);
    auto by_link = socket("Cookie: agentdb9_link=s\r\n");
    auto owner = socket(Plane::cookie(route));
    auto endless = plane.apps();
    endless.send(Plane::get_at(host, "/endless", others));
    endless.read_until("x\r\n");
    // Another share, and the workspace held, change nothing.
    plane.share(route, ShareLevel::kPublic, {}, {}, 3000);
    route.state = model::RouteState::kHeld;
    plane.publish();
    route.state = model::RouteState::kReady;
    plane.share_nothing();
    EXPECT_TRUE(was_closed(user));
    EXPECT_TRUE(was_closed(by_link));
    EXPECT_TRUE(endless.closes());
    EXPECT_TRUE(owner.is_silent_for(50ms)) << "the owner needs none";
    plane.revoke({plane.user, {}, {}, {}});
    EXPECT_TRUE(was_closed(owner));
}

TEST_F(Shares, ASocketOfAPublicPageIsForItsOwnPagesOnly) {
    plane.share(route, ShareLevel::kPublic);
    EXPECT_EQ(visit(kSocket + "Origin: http://evil.test\r\n").status(), 403);
    auto client = socket("Origin: http://" + host + "\r\n");
    plane.share_nothing();
    EXPECT_TRUE(was_closed(client));
    // Whoever needs no cookie may be sent to from anywhere; whoever has only one may not.
    const auto post = [&](const std::string& fields) {
        auto connection = plane.apps();
        return ask(connection,
                   Plane::get_at(host, "/", fields + "Origin: http://evil.test\r\nContent-Length: 0\r\n",
                                 "POST"))
            .status();
    };
    plane.share(route, ShareLevel::kLink, "s");
    EXPECT_EQ(post("Cookie: agentdb9_link=s\r\n"), 403);
    EXPECT_EQ(post(Plane::cookie(route)), 403);
    plane.share(route, ShareLevel::kPublic);
    EXPECT_EQ(post(""), 200);
}

TEST_F(Shares, WhoeverOpensAPageIsLedToTheSignIn) {
    proxy::Options options;
    options.apps_domain = kAppsDomain;
    options.public_url = "https://work.test";
    Plane other(options);
    auto& mine = other.add(upstream.port(), other.user);
    const auto visit_it = [&](const std::string& name, const std::string& fields) {
        auto client = other.apps();
        return ask(client, Plane::get_at(name, "/a?b", fields));
    };
    const std::string page = "Accept: text/html,*/*\r\n";
    auto led = visit_it(Plane::host(mine), page);
    EXPECT_EQ(led.status(), 303);
    EXPECT_EQ(led.field("Location"), "https://work.test/#open=" + mine.workspace.str() + "/8080");
    EXPECT_EQ(led.field("Cache-Control"), "no-store");
    auto unknown = mine;
    unknown.workspace = base::WorkspaceId::generate();
    EXPECT_EQ(visit_it(Plane::host(unknown), page).status(), 303) << "like one that is not there";
    EXPECT_EQ(visit_it(Plane::host(mine), "Accept: */*\r\n").status(), 401);
    EXPECT_EQ(visit_it(Plane::host(mine), page + kSocket).status(), 401);
    EXPECT_EQ(visit_it(Plane::host(mine), page + "Cookie: agentdb9_link=ended\r\n").status(), 401);
    other.share(mine, ShareLevel::kPublic);
    EXPECT_EQ(visit_it(Plane::host(mine), page).status(), 200);
}

TEST_F(Shares, AUserWhoIsLockedOutLosesWhatIsSharedWithUsers) {
    plane.share(route, ShareLevel::kUsers);
    auto client = socket(others);
    plane.revoke({plane.other, {}, {}, {}});
    EXPECT_TRUE(was_closed(client));
}

TEST_F(Shares, AWorkspaceThatGoesTakesThemAlong) {
    plane.share(route, ShareLevel::kPublic);
    auto client = socket({});
    plane.routes.clear();
    plane.publish();
    EXPECT_NE(client.read_to_end(), "") << "told why";
    EXPECT_EQ(visit().status(), 401);
    EXPECT_EQ(visit(others).status(), 404);
}

}  // namespace
}  // namespace agentdb9::test
