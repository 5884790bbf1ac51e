// Who may have which application, by what credential.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Admission : testing::Test {
    Upstream upstream{answering([](const Message& request) { return ok(request.head); })};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);

    Message api(const std::string& path, const std::string& fields = kBearer) {
        auto client = plane.api();
        return ask(client, plane.get(path, fields));
    }
    Message apps(const std::string& path, const std::string& fields) {
        auto client = plane.apps();
        return ask(client, plane.get(path, fields));
    }
};

// What may differ between two refusals: ids, times and the path asked for.
std::string comparable(const Message& answer, const std::string& path) {
    auto text = answer.head + answer.body;
    for (auto at = text.find(path); at != std::string::npos; at = text.find(path))
        text.replace(at, path.size(), "PATH");
    text = std::regex_replace(text, std::regex(R"re("requestId":"[^"]*"|X-Request-Id: [^\r]*)re"), "ID");
    text = std::regex_replace(text, std::regex(R"re("timestamp":"[^"]*"|Date: [^\r]*)re"), "TIME");
    return text;
}

TEST_F(Admission, AnothersWorkspaceIsLikeNone) {
    auto& others = plane.add(upstream.port(), plane.other);
    auto& stopped = plane.add(upstream.port(), plane.other);
    stopped.state = model::RouteState::kStopped;
    plane.publish();
    auto unknown = "/api/workspaces/" + base::WorkspaceId::generate().str() + "/proxy/x";
    auto none = api(unknown);
    EXPECT_EQ(none.status(), 404);
    EXPECT_THAT(none.body, HasSubstr("\"code\":\"workspace_not_found\""));
    for (const auto& path : {Plane::proxy(others, "/x"), Plane::proxy(stopped, "/x")})
        EXPECT_EQ(comparable(api(path), path), comparable(none, unknown));
    auto port = "/api/workspaces/" + others.workspace.str() + "/ports/9999/x";
    auto none_port = "/api/workspaces/" + base::WorkspaceId::generate().str() + "/ports/9999/x";
    EXPECT_EQ(comparable(api(port), port), comparable(api(none_port), none_port));
    auto app = Plane::app(others, "/x");
    auto none_app = "/" + base::WorkspaceId::generate().str() + "/8080/x";
    EXPECT_EQ(comparable(apps(app, kBearer), app), comparable(apps(none_app, kBearer), none_app));
    EXPECT_EQ(upstream.accepted(), 0);
    EXPECT_EQ(api(Plane::proxy(others, "/x"), "Authorization: Bearer others\r\n").status(), 200);
}

TEST_F(Admission, WithoutACredentialNothingOpens) {
    auto answer = api(Plane::proxy(route, "/"), "");
    EXPECT_EQ(answer.status(), 401);
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer");
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"unauthenticated\""));
    for (std::string fields : {"Authorization: Bearer bad\r\n", "Authorization: Bearer\r\n",
                               "Authorization: Basic Z29vZA==\r\n", "Authorization: good\r\n",
                               "X-Authorization: Bearer good\r\n", "Proxy-Authorization: Bearer good\r\n"})
        EXPECT_EQ(api(Plane::proxy(route, "/"), fields).status(), 401) << fields;
    EXPECT_EQ(api(Plane::proxy(route, "/?access_token=good&token=good"), "").status(), 401);
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Admission, ANavigationIsToldWhereToSignIn) {
    auto answer = api(Plane::proxy(route, "/"), "Accept: text/html\r\n");
    EXPECT_EQ(answer.status(), 401);
    EXPECT_THAT(answer.body, HasSubstr("Sign in"));
    EXPECT_EQ(answer.field("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(answer.field("Referrer-Policy"), "no-referrer");
}

TEST_F(Admission, MalformedIdsAndPortsAre400) {
    for (std::string path : {"/api/workspaces/nonsense/proxy/", "/api/workspaces//proxy/",
                             "/api/workspaces/%00/proxy/", "/workspace-proxy/x/"}) {
        auto answer = api(path);
        EXPECT_EQ(answer.status(), 400) << path;
        EXPECT_THAT(answer.body, HasSubstr("{\"field\":\"id\"")) << path;
    }
    for (std::string port : {"0", "65536", "x", "-1", "080", ""}) {
        auto answer = api("/api/workspaces/" + route.workspace.str() + "/ports/" + port + "/");
        EXPECT_EQ(answer.status(), 400) << port;
        EXPECT_THAT(answer.body, HasSubstr("{\"field\":\"port\"")) << port;
    }
    EXPECT_EQ(apps("/" + route.workspace.str() + "/x/", kBearer).status(), 400);
    EXPECT_EQ(apps("/favicon.ico", kBearer).status(), 404);
}

TEST_F(Admission, AnIdIsTheSameInUpperCase) {
    auto id = route.workspace.str();
    std::ranges::transform(id, id.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(api("/api/workspaces/" + id + "/proxy/").status(), 200);
}

TEST_F(Admission, ARewriteMeansTheCallersOwnDefault) {
    proxy::Options options;
    options.rewrites = {{"/vscode", "vscode", {}}};
    Plane other(options);
    auto& mine = other.add(upstream.port(), other.user);
    other.defaults.insert({{other.user, "vscode"}, mine.workspace});
    other.publish();
    auto client = other.api();
    EXPECT_EQ(ask(client, other.get("/vscode/", kBearer)).status(), 200);
    EXPECT_EQ(ask(client, other.get("/vscode/", "Authorization: Bearer others\r\n")).status(), 404);
    EXPECT_EQ(ask(client, other.get("/vscode/")).status(), 401);
}

// One upgrade too: a socket is as good as any request.
constexpr auto kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

TEST_F(Admission, ATokenThatMayOnlyReadOpensNoApplication) {
    plane.token_scope = {.power = model::TokenPower::kRead};
    for (const auto& path : {Plane::proxy(route, "/x"), "/workspace-proxy/" + route.workspace.str() + "/x",
                             "/api/workspaces/" + route.workspace.str() + "/ports/9999/x"}) {
        for (const auto& fields : {kBearer, kBearer + kUpgrade}) {
            const auto answer = api(path, fields);
            EXPECT_EQ(answer.status(), 403) << path;
            EXPECT_THAT(answer.body, HasSubstr("\"code\":\"token_scope\""));
            EXPECT_THAT(answer.body, HasSubstr("'write'"));
        }
    }
    EXPECT_EQ(apps(Plane::app(route, "/x"), kBearer).status(), 403);
    EXPECT_EQ(apps(Plane::app(route, "/x"), Plane::cookie(route)).status(), 403);
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Admission, ATokenForOneWorkspaceOpensThatOneAndTellsNothingOfOthers) {
    auto& mine = plane.add(upstream.port(), plane.user);
    auto& others = plane.add(upstream.port(), plane.other);
    plane.token_scope = {.power = model::TokenPower::kWrite, .workspace = route.workspace};
    EXPECT_EQ(api(Plane::proxy(route, "/x")).status(), 200);
    EXPECT_EQ(apps(Plane::app(route, "/x"), kBearer).status(), 200);
    EXPECT_EQ(apps(Plane::app(route, "/x"), Plane::cookie(route)).status(), 200);
    const auto seen = upstream.accepted();
    auto unknown = "/api/workspaces/" + base::WorkspaceId::generate().str() + "/proxy/x";
    const auto none = api(unknown);
    EXPECT_EQ(none.status(), 403);
    for (const auto& path : {Plane::proxy(mine, "/x"), Plane::proxy(others, "/x")})
        EXPECT_EQ(comparable(api(path), path), comparable(none, unknown));
    EXPECT_EQ(apps(Plane::app(mine, "/x"), kBearer).status(), 403);
    EXPECT_EQ(api(Plane::proxy(mine, "/x"), kBearer + kUpgrade).status(), 403);
    EXPECT_EQ(upstream.accepted(), seen);
}

TEST_F(Admission, ARewriteIsNoWayAroundATokensScope) {
    proxy::Options options;
    options.rewrites = {{"/vscode", "vscode", {}},
                        {"/fixed", "", model::Endpoint{"127.0.0.1", upstream.port()}}};
    for (const bool own : {true, false}) {
        for (const auto power : {model::TokenPower::kRead, model::TokenPower::kWrite}) {
            Plane other(options);
            auto& mine = other.add(upstream.port(), other.user);
            mine.state = own ? model::RouteState::kReady : model::RouteState::kStopped;
            mine.wake_on_request = true;
            other.defaults.insert({{other.user, "vscode"}, mine.workspace});
            other.publish();
            other.token_scope = {.power = power,
                                 .workspace = own ? mine.workspace : base::WorkspaceId::generate()};
            auto client = other.api();
            const bool opens = own && power == model::TokenPower::kWrite;
            EXPECT_EQ(ask(client, other.get("/vscode/", kBearer)).status(), opens ? 200 : 403);
            EXPECT_EQ(ask(client, other.get("/fixed/", kBearer)).status(), 403) << "it is no workspace's";
            EXPECT_EQ(other.wakes, 0) << "what is refused starts nothing";
        }
    }
    Plane other(options);
    other.token_scope = {.power = model::TokenPower::kWrite};
    auto client = other.api();
    EXPECT_EQ(ask(client, other.get("/fixed/", kBearer)).status(), 200);
}

TEST_F(Admission, ATicketBecomesACookieOfOneApplication) {
    auto answer =
        apps(Plane::app(route, "/deep/page?a=b&agentdb9_ticket=good%20ticket&c"), "Accept: text/html\r\n");
    EXPECT_EQ(answer.status(), 303);
    EXPECT_EQ(answer.field("Location"), Plane::app(route, "/deep/page?a=b&c"));
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    EXPECT_EQ(answer.field("Referrer-Policy"), "no-referrer");
    auto cookie = answer.field("Set-Cookie");
    EXPECT_THAT(cookie, StartsWith("agentdb9_app=cookie-" + route.workspace.str() +
                                   "-8080; Path=" + Plane::app(route, "/") + "; Max-Age="));
    EXPECT_THAT(cookie, HasSubstr("; HttpOnly; SameSite=Lax"));
    EXPECT_THAT(cookie, Not(HasSubstr("Secure")));
    EXPECT_THAT(cookie, Not(HasSubstr("Domain")));
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Admission, BehindHttpsTheCookieIsSecure) {
    proxy::Options options;
    options.apps_url = "https://apps.example";
    Plane secure(options);
    auto& mine = secure.add(upstream.port(), secure.user);
    auto client = secure.apps();
    EXPECT_THAT(
        ask(client, secure.get(Plane::app(mine, "/?agentdb9_ticket=good%20ticket"))).field("Set-Cookie"),
        HasSubstr("; Secure"));
}

TEST_F(Admission, ABadTicketIsRefusedWhateverElseIsThere) {
    auto answer = apps(Plane::app(route, "/?agentdb9_ticket=used"), Plane::cookie(route));
    EXPECT_EQ(answer.status(), 401);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"ticket_invalid\""));
    EXPECT_THAT(answer.body, Not(HasSubstr("used\"")));
    EXPECT_EQ(answer.field("Set-Cookie"), "(none)");
    // Tickets are for the applications' origin; elsewhere they are only taken out.
    EXPECT_EQ(api(Plane::proxy(route, "/?agentdb9_ticket=good%20ticket"), "").status(), 401);
    EXPECT_THAT(api(Plane::proxy(route, "/?a&agentdb9_ticket=good%20ticket")).body,
                StartsWith("GET /?a HTTP/1.1\r\n"));
}

TEST_F(Admission, ACookieOpensItsOwnApplicationOnly) {
    auto& second = plane.add(upstream.port(), plane.user);
    route.published[3000] = {"127.0.0.1", upstream.port()};
    plane.publish();
    EXPECT_EQ(apps(Plane::app(route, "/"), Plane::cookie(route)).status(), 200);
    EXPECT_EQ(apps(Plane::app(route, "/", 3000), Plane::cookie(route)).status(), 401);
    EXPECT_EQ(apps(Plane::app(second, "/"), Plane::cookie(route)).status(), 401);
    EXPECT_EQ(apps(Plane::app(route, "/", 3000), Plane::cookie(route, 3000)).status(), 200);
    EXPECT_EQ(apps(Plane::app(route, "/"), "Cookie: agentdb9_app=forged\r\n").status(), 401);
    // Of several, the one that is good counts.
    EXPECT_EQ(apps(Plane::app(route, "/"), "Cookie: agentdb9_app=stale\r\n" + Plane::cookie(route)).status(),
              200);
}

TEST_F(Admission, CookiesNeverAuthenticateOnTheApisOrigin) {
    for (const auto& path : {Plane::proxy(route, "/"), "/workspace-proxy/" + route.workspace.str() + "/",
                             "/api/workspaces/" + route.workspace.str() + "/ports/8080/"})
        EXPECT_EQ(api(path, Plane::cookie(route)).status(), 401) << path;
    EXPECT_EQ(plane.authentications, 0);
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Admission, OurCredentialsNeverReachTheApplication) {
    auto cookie = Plane::cookie(route);
    cookie.resize(cookie.size() - 2);
    // By bearer token, on either origin: no Authorization passes, nor do our cookies.
    auto bearer = kBearer + cookie + "; own=1\r\nauthorization: Basic good\r\n";
    for (const auto& answer : {api(Plane::proxy(route, "/"), bearer),
                               apps(Plane::app(route, "/"), "Cookie: agentdb9_app=stale\r\n" + kBearer)}) {
        EXPECT_EQ(answer.status(), 200);
        for (const char* secret : {"good", "agentdb9_app", "uthorization", "cookie-"})
            EXPECT_THAT(answer.body, Not(HasSubstr(secret)));
    }
    // By cookie: whatever could be our token does not pass.
    for (std::string fields : {"Authorization: Bearer good\r\n", "Authorization: bearer  good\r\n",
                               "Authorization: Bearer\tgood\r\n", "Authorization: Bearer good, x\r\n",
                               "Authorization: Basic x\r\nAuthorization: Bearer good\r\n",
                               "Authorization: Bearer adb9_x.good\r\n", "Authorization: token adb9_good\r\n",
                               "Authorization: Bearer good\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
                               "Authorization: Bearer good\r\nConnection: Authorization\r\n"}) {
        auto answer = apps(Plane::app(route, "/"), cookie + "; own=1\r\n" + fields);
        EXPECT_EQ(answer.status(), 200) << fields;
        EXPECT_THAT(answer.body, Not(HasSubstr("good"))) << fields;
        EXPECT_THAT(answer.body, Not(HasSubstr("agentdb9_app"))) << fields;
        EXPECT_THAT(answer.body, HasSubstr("\r\nCookie: own=1\r\n")) << fields;
    }
}

// It is ours, though not good at this moment: nor is it afterwards.
TEST_F(Admission, NorDoesATokenThatIsRevokedWhileItIsChecked) {
    const auto fields = Plane::cookie(route) + "Authorization: Bearer others\r\n";
    std::atomic<int> checks = 0;
    plane.on_control([&] {
        plane.before_authentication = [&]() -> Task<> {
            // The cookie is checked first.
            if (++checks == 2) plane.plane->revoke({plane.other, {}, {}, {}});
            co_return;
        };
    });
    for (int i = 0; i < 2; ++i) {
        auto answer = apps(Plane::app(route, "/"), fields);
        EXPECT_EQ(answer.status(), 200);
        EXPECT_THAT(answer.body, Not(HasSubstr("others"))) << i;
    }
    EXPECT_EQ(checks, 3) << "the token was asked for again";
}

TEST_F(Admission, WhatCannotBeOursIsNotEvenAskedFor) {
    const auto before = plane.authentications.load();
    EXPECT_EQ(apps(Plane::app(route, "/"), "Cookie: agentdb9_app=" + std::string(600, 'x') + "\r\n").status(),
              401);
    EXPECT_EQ(plane.authentications, before);
}

TEST_F(Admission, AnApplicationsOwnAuthorizationPassesWithTheCookie) {
    for (std::string own : {"Basic dXNlcjpwYXNz", "Bearer an.applications.token", "Digest a=\"b\", c=d"}) {
        auto answer = apps(Plane::app(route, "/"), Plane::cookie(route) + "Authorization: " + own + "\r\n");
        EXPECT_THAT(answer.body, HasSubstr("\r\nAuthorization: " + own + "\r\n"));
    }
    int before = plane.authentications;
    apps(Plane::app(route, "/"), Plane::cookie(route) + "Authorization: Bearer an.applications.token\r\n");
    EXPECT_EQ(plane.authentications, before) << "what is foreign is remembered";
    // As long as it does not take too much: anybody may send as much of it as they like.
    for (int i = 0; i < 600; ++i)
        apps(Plane::app(route, "/"), Plane::cookie(route) + "Authorization: Bearer " + std::to_string(i) +
                                         std::string(8'000, 'x') + "\r\n");
    before = plane.authentications;
    apps(Plane::app(route, "/"), Plane::cookie(route) + "Authorization: Bearer an.applications.token\r\n");
    EXPECT_EQ(plane.authentications, before + 1);
}

TEST_F(Admission, OurTokenDoesNotPassInAnotherSchemeEither) {
    const auto session = base::SessionId::generate().str();
    const auto refresh = session + "." + std::string(43, 'r') + "." + std::string(43, 'm');
    const auto foreign = "another.servers." + std::string(43, 'm');
    for (const auto& value : {kSignedToken, "Token " + kSignedToken, "JWT token=\"" + kSignedToken + "\"",
                              "Basic YTpi, Bearer " + kSignedToken, "Bearer " + foreign + ", " + kSignedToken,
                              "Bearer " + refresh, "Basic " + refresh,
                              foreign + " " + foreign + " " + foreign + " " + foreign + " " + foreign}) {
        auto answer = apps(Plane::app(route, "/"), Plane::cookie(route) + "Authorization: " + value + "\r\n");
        EXPECT_EQ(answer.status(), 200) << value;
        EXPECT_THAT(answer.body, Not(HasSubstr("uthorization"))) << value;
    }
    for (const auto& own :
         {"Bearer " + foreign, "Token " + foreign, "Token a=\"" + foreign + "\", b=\"" + foreign + "\""}) {
        auto answer = apps(Plane::app(route, "/"), Plane::cookie(route) + "Authorization: " + own + "\r\n");
        EXPECT_THAT(answer.body, HasSubstr("\r\nAuthorization: " + own + "\r\n"));
    }
}

TEST_F(Admission, ATokenIsCheckedOnceAndAgainWhenRevoked) {
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(api(Plane::proxy(route, "/")).status(), 200);
    EXPECT_EQ(plane.authentications, 1);
    EXPECT_EQ(plane.metrics().token_hits, 9U);
    plane.revoke({base::UserId::generate(), {}, {}, {}});
    EXPECT_EQ(api(Plane::proxy(route, "/")).status(), 200);
    EXPECT_EQ(plane.authentications, 1);
    plane.authentication_fails = true;
    plane.revoke({{}, plane.session, {}, {}});
    EXPECT_EQ(api(Plane::proxy(route, "/")).status(), 401);
    EXPECT_EQ(plane.authentications, 2);
}

TEST_F(Admission, AnExpiredTokenIsNotRemembered) {
    plane.expires_at = base::from_unix_ms(1'000'000);
    api(Plane::proxy(route, "/"));
    api(Plane::proxy(route, "/"));
    EXPECT_EQ(plane.authentications, 2);
}

TEST_F(Admission, ARevocationWhileTheTokenIsCheckedCounts) {
    Gate asked;
    Gate revoked;
    plane.before_authentication = [&]() -> Task<> {
        asked.open();
        asio::steady_timer timer(co_await asio::this_coro::executor);
        while (!revoked.is_open()) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(asked.wait());
    plane.revoke({plane.user, {}, {}, {}});
    revoked.open();
    EXPECT_EQ(read_message(client).status(), 401);
    EXPECT_EQ(upstream.accepted(), 0);
    plane.revoke({base::UserId::generate(), {}, {}, {}});
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200)
        << "nothing wrong was remembered";
}

TEST_F(Admission, ARevocationWhileTheWorkspaceIsHeldCounts) {
    route.state = model::RouteState::kHeld;
    plane.publish();
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(eventually([&] { return plane.authentications == 1; }));
    plane.revoke({plane.user, {}, {}, {}});
    route.state = model::RouteState::kReady;
    plane.publish();
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 401);
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer");
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Admission, ARevocationEndsRequestsUnderWay) {
    Gate arrived;
    auto served = upstream.serve([&](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        arrived.open();
        connection.closes();
    });
    auto& others = plane.add(upstream.port(), plane.other);
    auto mine = plane.api();
    mine.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(arrived.wait());
    auto another = plane.api();
    another.send(plane.get(Plane::proxy(others, "/"), "Authorization: Bearer others\r\n"));
    another.read_until("1\r\na\r\n");
    plane.revoke({plane.user, {}, {}, {}});
    EXPECT_TRUE(mine.closes());
    EXPECT_TRUE(another.is_silent_for(100ms)) << "another user's goes on";
}

}  // namespace
}  // namespace agentdb9::test
