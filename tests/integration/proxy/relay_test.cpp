// One request and its answer, as both ends see them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers with the request's head.
Upstream::Serve mirror() {
    return answering([](const Message& request) { return ok(request.head); });
}

TEST(Relay, PassesARequestAndItsAnswer) {
    Upstream upstream(mirror());
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/a/b?c=d"), kBearer));
    EXPECT_EQ(answer.status(), 200) << answer.head << answer.body;
    EXPECT_THAT(answer.body, StartsWith("GET /a/b?c=d HTTP/1.1\r\nHost: agentdb9.test\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("\r\nX-Forwarded-Prefix: " + Plane::proxy(route, "") + "\r\n"));
    EXPECT_TRUE(eventually([&] { return plane.metrics().requests_relayed == 1; }));
}

TEST(Relay, EveryDoorLeadsToTheApplication) {
    Upstream upstream(mirror());
    proxy::Options options;
    options.rewrites = {{"/vscode", "vscode", {}},
                        {"/fixed", {}, model::Endpoint{"localhost", upstream.port()}}};
    Plane plane(options);
    auto& route = plane.add(upstream.port(), plane.user);
    route.published[3000] = {"127.0.0.1", upstream.port()};
    plane.defaults.insert({{plane.user, "vscode"}, route.workspace});
    plane.publish();
    auto id = route.workspace.str();
    auto client = plane.api();
    for (const auto& path :
         {Plane::proxy(route, "/x"), "/api/workspaces/" + id + "/ports/3000/x",
          "/workspace-proxy/" + id + "/x", std::string("/vscode/x"), std::string("/fixed/x")}) {
        auto answer = ask(client, plane.get(path, kBearer));
        EXPECT_THAT(answer.body, StartsWith("GET /x HTTP/1.1\r\n")) << path << answer.head;
    }
    auto apps = plane.apps();
    EXPECT_THAT(ask(apps, plane.get(Plane::app(route, "/x"), kBearer)).body,
                StartsWith("GET /x HTTP/1.1\r\n"));
}

TEST(Relay, AnApplicationThatKeepsItsPrefixGetsTheApplicationsOriginsByEveryDoor) {
    Upstream upstream(mirror());
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    route.strip_prefix = false;
    route.published[3000] = {"127.0.0.1", upstream.port()};
    plane.publish();
    auto expected = "GET " + Plane::app(route, "/tree?a") + " HTTP/1.1\r\n";
    auto client = plane.api();
    EXPECT_THAT(ask(client, plane.get(Plane::proxy(route, "/tree?a"), kBearer)).body, StartsWith(expected));
    auto apps = plane.apps();
    EXPECT_THAT(ask(apps, plane.get(Plane::app(route, "/tree?a"), kBearer)).body, StartsWith(expected));
    // That is a matter of the type's port only.
    EXPECT_THAT(ask(apps, plane.get(Plane::app(route, "/x", 3000), kBearer)).body,
                StartsWith("GET /x HTTP/1.1\r\n"));
}

TEST(Relay, ADoorWithoutItsSlashIsRedirected) {
    Plane plane;
    auto& route = plane.add(1, plane.user);
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "?a=b")));
    EXPECT_EQ(answer.status(), 307);
    EXPECT_EQ(answer.field("Location"), Plane::proxy(route, "/?a=b"));
}

TEST(Relay, PathsAndQueriesArriveAsTheyWereWritten) {
    Upstream upstream(mirror());
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    for (std::string rest : {"/%2e%2e/%2F?%00=%zz", "/../..//x/./", "//evil.example/", "/a;b?c?d&&e=", "/?",
                             "/x?", "/\\^`{}|\"<>"}) {
        auto answer = ask(client, plane.get(Plane::proxy(route, rest), kBearer));
        EXPECT_THAT(answer.body, StartsWith("GET " + rest + " HTTP/1.1\r\n"));
    }
}

TEST(Relay, TheRequestIdGoesBothWays) {
    Upstream upstream(mirror());
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer + "X-Request-Id: mine-1\r\n"));
    EXPECT_EQ(answer.field("X-Request-Id"), "mine-1");
    EXPECT_THAT(answer.body, HasSubstr("\r\nX-Request-Id: mine-1\r\n"));
    answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer + "X-Request-Id: not \"sane\"\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("\r\nX-Request-Id: " + answer.field("X-Request-Id") + "\r\n"));
    EXPECT_THAT(answer.body, Not(HasSubstr("sane")));
}

TEST(Relay, ATrustedProxysWordIsPassedOn) {
    Upstream upstream(mirror());
    proxy::Options options;
    options.trusted_proxies = {"127.0.0.0/8"};
    Plane plane(options);
    http::Request seen;
    plane.api_handler = [&](http::Request request) -> Task<http::Response> {
        seen = std::move(request);
        co_return http::Response{};
    };
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    const std::string fields =
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n";
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer + fields));
    EXPECT_THAT(answer.body, HasSubstr("\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.1\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("\r\nX-Forwarded-Proto: https\r\n"));
    EXPECT_EQ(ask(client, plane.get("/api/x", fields)).status(), 200);
    EXPECT_EQ(seen.peer, "203.0.113.9");
    EXPECT_TRUE(seen.secure);
}

TEST(Relay, HtmlOnTheApisOriginGetsAnOriginOfItsOwn) {
    Upstream upstream(answering(
        [](const Message&) { return ok("<p>", "Content-Type: text/html\r\nSet-Cookie: a=b\r\n"); }));
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    auto answer = ask(client, plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_THAT(answer.field("Content-Security-Policy"), StartsWith("sandbox "));
    EXPECT_EQ(answer.field("Set-Cookie"), "a=b; Path=" + Plane::proxy(route, "/"));
    auto apps = plane.apps();
    answer = ask(apps, plane.get(Plane::app(route, "/"), kBearer));
    EXPECT_EQ(answer.field("Content-Security-Policy"), "(none)");
    EXPECT_EQ(answer.field("Set-Cookie"), "a=b; Path=" + Plane::app(route, "/"));
}

TEST(Relay, UpstreamConnectionsAreUsedAgain) {
    Upstream upstream(mirror());
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    for (int i = 0; i < 20; ++i)
        ASSERT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200);
    EXPECT_EQ(upstream.accepted(), 1);
    EXPECT_EQ(plane.metrics().upstream_reuses, 19U);
}

TEST(Relay, RequestsForTheApiAreHandedUpWhole) {
    Plane plane;
    http::Request seen;
    plane.api_handler = [&](http::Request request) -> Task<http::Response> {
        seen = std::move(request);
        http::Response response;
        response.status = seen.method == "PATCH" ? 405 : 201;
        response.body = "{}";
        response.headers.add("Allow", "GET");
        co_return response;
    };
    auto client = plane.api();
    auto answer =
        ask(client,
            "POST /api/projects?x=y HTTP/1.1\r\nHost: a\r\nX-One: two\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2\r\nde\r\n0\r\nAuthorization: Bearer trailer\r\n\r\n");
    EXPECT_EQ(answer.status(), 201);
    EXPECT_EQ(answer.body, "{}");
    EXPECT_NE(answer.field("Date"), "(none)");
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/api/projects?x=y");
    EXPECT_EQ(seen.body, "abcde");
    EXPECT_EQ(seen.headers.get("X-One"), "two");
    EXPECT_FALSE(seen.headers.get("Authorization"));
    EXPECT_EQ(seen.id, answer.field("X-Request-Id"));
    EXPECT_EQ(seen.peer, "127.0.0.1");
    EXPECT_FALSE(seen.secure);
    answer = ask(client, "PATCH /api/types HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(answer.status(), 405);
    EXPECT_EQ(answer.field("Allow"), "GET");
}

TEST(Relay, AHandlerThatThrowsIsAnswered500) {
    Plane plane;
    plane.api_handler = [](http::Request) -> Task<http::Response> {
        throw std::runtime_error("a secret of the inside");
        co_return http::Response{};
    };
    auto client = plane.api();
    auto answer = ask(client, plane.get("/api/x"));
    EXPECT_EQ(answer.status(), 500);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"internal_error\""));
    EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
    EXPECT_EQ(ask(client, plane.get("/api/x")).status(), 500) << "the connection goes on";
}

}  // namespace
}  // namespace agentdb9::test
