// Each application on its own host name: which request means which, and what it gets to see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

proxy::Options with_domain(const std::string& apps_url = {}) {
    proxy::Options options;
    options.apps_domain = kAppsDomain;
    options.apps_url = apps_url;
    return options;
}

struct Origins : testing::Test {
    Upstream upstream{answering([](const Message& request) {
        return ok(request.head,
                  "Set-Cookie: a=b; Domain=apps.test; Path=/x\r\nSet-Cookie: agentdb9_app=mine; Path=/\r\n"
                  "Service-Worker-Allowed: /\r\nStrict-Transport-Security: max-age=9; includeSubDomains\r\n");
    })};
    Plane plane{with_domain()};
    model::Route& route = plane.add(upstream.port(), plane.user);

    Message apps(const std::string& host, const std::string& path, const std::string& fields = {},
                 const std::string& method = "GET") {
        auto client = plane.apps();
        return ask(client, Plane::get_at(host, path, fields, method), method == "HEAD");
    }
    Message mine(const std::string& path, const std::string& fields = {}, const std::string& method = "GET") {
        return apps(Plane::host(route), path, fields, method);
    }
};

TEST_F(Origins, TheApplicationSeesThePathUnchanged) {
    for (std::string path : {"/", "/a/b?c=d", "/a%2Fb", "//x", "/../y"}) {
        auto answer = mine(path, Plane::cookie(route));
        EXPECT_EQ(answer.status(), 200);
        EXPECT_THAT(answer.body, StartsWith("GET " + path + " HTTP/1.1\r\nHost: " + Plane::host(route)));
        EXPECT_THAT(answer.body, Not(HasSubstr("X-Forwarded-Prefix")));
        EXPECT_THAT(answer.body, Not(HasSubstr("agentdb9_")));
    }
    EXPECT_EQ(apps("8080--" + route.workspace.str() + ".APPS.Test:81", "/", kBearer).status(), 200);
}

TEST_F(Origins, CookiesAndServiceWorkersHaveTheWholeOrigin) {
    auto answer = mine("/", Plane::cookie(route));
    EXPECT_THAT(answer.head, HasSubstr("Set-Cookie: a=b; Path=/x\r\n"));
    EXPECT_THAT(answer.head, Not(HasSubstr("agentdb9_app")));
    EXPECT_EQ(answer.count("Set-Cookie"), 1U);
    EXPECT_EQ(answer.field("Service-Worker-Allowed"), "/");
    EXPECT_EQ(answer.field("Strict-Transport-Security"), "(none)");
}

TEST_F(Origins, ATypeThatKeepsItsPrefixIsReachedWithAndWithoutIt) {
    auto& kept = plane.add(upstream.port(), plane.user);
    kept.strip_prefix = false;
    kept.published[3000] = {"127.0.0.1", upstream.port()};
    plane.publish();
    auto base = "/" + kept.workspace.str() + "/8080";
    for (auto [asked, seen] : {std::pair{std::string("/"), base + "/"},
                               {"/tree?a", base + "/tree?a"},
                               {base + "/tree", base + "/tree"},
                               {base, base},
                               {base + "1/x", base + base + "1/x"}})
        EXPECT_THAT(apps(Plane::host(kept), asked, Plane::cookie(kept)).body,
                    StartsWith("GET " + seen + " HTTP/1.1\r\n"));
    // Its other ports know of no prefix.
    EXPECT_THAT(apps(Plane::host(kept, 3000), "/x", Plane::cookie(kept, 3000)).body,
                StartsWith("GET /x HTTP/1.1\r\n"));
}

TEST_F(Origins, AHostNameIsForOneApplicationOnly) {
    auto& second = plane.add(upstream.port(), plane.user);
    route.published[3000] = {"127.0.0.1", upstream.port()};
    plane.publish();
    EXPECT_EQ(mine("/", Plane::cookie(second)).status(), 401);
    EXPECT_EQ(mine("/", Plane::cookie(route, 3000)).status(), 401);
    EXPECT_EQ(apps(Plane::host(route, 3000), "/", Plane::cookie(route)).status(), 401);
    EXPECT_EQ(mine("/").status(), 401);
    // Another's is like none.
    auto& others = plane.add(upstream.port(), plane.other);
    EXPECT_EQ(apps(Plane::host(others), "/", kBearer).status(), 404);
    auto unknown = route;
    unknown.workspace = base::WorkspaceId::generate();
    EXPECT_EQ(apps(Plane::host(unknown), "/", kBearer).status(), 404);
    EXPECT_EQ(apps(Plane::host(unknown), "/").status(), 401);
}

TEST_F(Origins, UnknownNamesBelowTheDomainAre404AndOthersMisdirected) {
    for (const auto& host : std::vector<std::string>{
             "www.apps.test", "8080.apps.test", Plane::host(route) + ".",
             "08080--" + route.workspace.str() + ".apps.test", "x." + Plane::host(route)}) {
        auto answer = apps(host, "/", kBearer);
        EXPECT_EQ(answer.status(), 404) << host;
        EXPECT_THAT(answer.body, HasSubstr("{port}--{workspaceId}.apps.test")) << host;
    }
    for (std::string host : {"apps.test", "127.0.0.1", "evil.test", "8080--x.apps.test.evil", "[::1]:80"}) {
        auto answer = apps(host, "/", kBearer);
        EXPECT_EQ(answer.status(), 421) << host;
        EXPECT_THAT(answer.head, StartsWith("HTTP/1.1 421 Misdirected Request\r\n"));
        EXPECT_THAT(answer.body, HasSubstr("\"code\":\"misdirected_request\"")) << host;
    }
    auto client = plane.apps();
    client.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(read_message(client).status(), 421);
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Origins, PathsOfASharedOriginLeadToTheNameAndRelayNothing) {
    auto answer = apps("apps.test:8001", Plane::app(route, "/a?b=c&agentdb9_ticket=t"));
    EXPECT_EQ(answer.status(), 307);
    EXPECT_EQ(answer.field("Location"), "http://" + Plane::host(route) + ":8001/a?b=c&agentdb9_ticket=t");
    EXPECT_EQ(apps("127.0.0.1", Plane::app(route, "")).field("Location"),
              "http://" + Plane::host(route) + "/");
    EXPECT_EQ(apps("apps.test", Plane::app(route, "/"), kBearer, "POST").status(), 421);
    EXPECT_EQ(
        apps("apps.test", Plane::app(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: websocket\r\n")
            .status(),
        421);
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Origins, TheApiIsNotServedAtAnApplicationsName) {
    for (const auto& path : {std::string("/"), std::string("/api/x"), Plane::proxy(route, "/")}) {
        auto client = plane.api();
        EXPECT_EQ(ask(client, Plane::get_at(Plane::host(route), path, kBearer)).status(), 421) << path;
    }
    // Nor where cookies lie that an application may have set for the whole domain.
    for (std::string host : {"apps.test", "APPS.test:8000", "apps.test.", "www.apps.test"}) {
        auto client = plane.api();
        EXPECT_EQ(ask(client, Plane::get_at(host, "/api/auth/refresh")).status(), 421) << host;
    }
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200);
    for (std::string host : {"test", "xapps.test", "127.0.0.1:8000", ""})
        EXPECT_EQ(ask(client, Plane::get_at(host, "/api/x")).status(), 200) << host;
}

TEST_F(Origins, ATicketBecomesACookieOfThisHostOnly) {
    auto answer = mine("/deep?a=b&agentdb9_ticket=good%20ticket");
    EXPECT_EQ(answer.status(), 303);
    EXPECT_EQ(answer.field("Location"), "/deep?a=b");
    auto cookie = answer.field("Set-Cookie");
    EXPECT_THAT(cookie,
                StartsWith("agentdb9_app=cookie-" + route.workspace.str() + "-8080; Path=/; Max-Age="));
    EXPECT_THAT(cookie, HasSubstr("; HttpOnly; SameSite=Lax"));
    EXPECT_THAT(cookie, Not(HasSubstr("Domain")));
    EXPECT_THAT(cookie, Not(HasSubstr("Secure")));
    EXPECT_EQ(mine("/?agentdb9_ticket=used").status(), 401);
    // Not to another host by way of ours.
    EXPECT_EQ(mine("//evil.test/?agentdb9_ticket=good%20ticket").field("Location"), "/.//evil.test/");
    EXPECT_EQ(mine("/\\evil.test/?agentdb9_ticket=good%20ticket").field("Location"), "/./\\evil.test/");
}

TEST_F(Origins, WhatIsNoCookieOfOursMayBeATokenOfOurs) {
    // Each was looked at as the other once, and is remembered as that only.
    EXPECT_EQ(mine("/", "Cookie: agentdb9_app=good\r\n").status(), 401);
    auto answer = mine("/", Plane::cookie(route) + "Authorization: Bearer good\r\n");
    EXPECT_EQ(answer.status(), 200);
    EXPECT_THAT(answer.body, Not(HasSubstr("uthorization")));
    const auto cookie = Plane::cookie(route);
    const auto value = cookie.substr(cookie.find('=') + 1, cookie.size() - cookie.find('=') - 3);
    EXPECT_EQ(mine("/", cookie + "Authorization: Bearer " + value + "\r\n").status(), 200);
    EXPECT_EQ(mine("/", cookie).status(), 200);
}

TEST_F(Origins, ThePageOfAStartLeadsToNoOtherHost) {
    const auto fields = Plane::cookie(route) + "Accept: text/html\r\n";
    EXPECT_EQ(mine("//evil.test/?agentdb9_starting=1", fields).field("Location"), "/.//evil.test/");
    EXPECT_EQ(mine("/\\evil.test/?a=b&agentdb9_starting=1", fields).field("Location"), "/./\\evil.test/?a=b");
    route.wake_on_request = true;
    route.state = model::RouteState::kStopped;
    plane.publish();
    for (const auto state : {model::Awakening::State::kStarting, model::Awakening::State::kFailed}) {
        plane.awakening.state = state;
        for (const auto* query : {"", "?agentdb9_starting=8000000000"}) {
            const auto page = mine("//evil.test/" + std::string(query), fields);
            EXPECT_EQ(page.status(), 503);
            EXPECT_THAT(page.body, HasSubstr("=\"/.//evil.test/"));
            EXPECT_THAT(page.body, Not(HasSubstr("=\"//"))) << "in a link, or for the script";
            EXPECT_THAT(page.body, Not(HasSubstr("url=//"))) << "in the refresh";
        }
    }
    plane.wake_refused = http::Problem{409, "project_in_use", "It is in use.", {}};
    EXPECT_THAT(mine("//evil.test/", fields).body,
                HasSubstr("href=\"/.//evil.test/?agentdb9_starting=again"));
}

TEST_F(Origins, ANeighboursPageDoesNotFollowTheLinkThatStarts) {
    route.wake_on_request = true;
    route.state = model::RouteState::kStopped;
    plane.awakening.state = model::Awakening::State::kStopped;
    plane.publish();
    const auto again = [&](const std::string& site, const std::string& destination) {
        return mine("/?agentdb9_starting=again",
                    Plane::cookie(route) +
                        "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: " + destination +
                        "\r\nSec-Fetch-Site: " + site + "\r\n");
    };
    for (std::string destination : {"iframe", "document"}) {
        for (std::string site : {"same-site", "cross-site"})
            EXPECT_THAT(again(site, destination).body, HasSubstr("Start it")) << site << destination;
    }
    EXPECT_EQ(plane.wakes, 0);
    again("same-origin", "iframe");
    EXPECT_EQ(plane.wakes, 1);
    again("none", "document");
    EXPECT_EQ(plane.wakes, 2);
}

TEST_F(Origins, BehindHttpsNoOtherHostCanSetTheCookie) {
    Plane secure{with_domain("https://apps.test")};
    auto& own = secure.add(upstream.port(), secure.user);
    const auto ask_it = [&](const std::string& path, const std::string& fields) {
        auto client = secure.apps();
        return ask(client, Plane::get_at(Plane::host(own), path, fields));
    };
    auto cookie = ask_it("/?agentdb9_ticket=good%20ticket", "").field("Set-Cookie");
    EXPECT_THAT(cookie, StartsWith("__Host-agentdb9_app=cookie-"));
    EXPECT_THAT(cookie, HasSubstr("; Secure"));
    EXPECT_EQ(ask_it("/", Plane::cookie(own)).status(), 401) << "a plain name, which a neighbour could set";
    auto value = Plane::cookie(own).substr(std::string("Cookie: ").size());
    auto answer = ask_it("/", "Cookie: own=1; __Host-" + value);
    EXPECT_EQ(answer.status(), 200);
    EXPECT_THAT(answer.body, HasSubstr("Cookie: own=1\r\n"));
    EXPECT_THAT(answer.body, Not(HasSubstr("agentdb9_app")));
}

TEST_F(Origins, OnlyItsOwnPagesOpenSocketsAndChangeThings) {
    auto own = "http://" + Plane::host(route);
    auto& second = plane.add(upstream.port(), plane.user);
    const std::string socket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    EXPECT_EQ(mine("/", Plane::cookie(route) + socket + "Origin: " + own + "\r\n").status(), 200);
    EXPECT_EQ(
        mine("/", Plane::cookie(route) + "Origin: " + own + "\r\nContent-Length: 0\r\n", "POST").status(),
        200);
    // Programs send none.
    EXPECT_EQ(mine("/", Plane::cookie(route) + "Content-Length: 0\r\n", "POST").status(), 200);
    EXPECT_EQ(mine("/", kBearer + "Origin: http://x\r\nContent-Length: 0\r\n", "POST").status(), 200);
    for (const std::string& origin :
         {"http://" + Plane::host(second), "http://" + Plane::host(route, 3000), own + ":81",
          "https://" + Plane::host(route), std::string("http://apps.test"), std::string("null")}) {
        EXPECT_EQ(mine("/", Plane::cookie(route) + socket + "Origin: " + origin + "\r\n").status(), 403)
            << origin;
        auto fields = Plane::cookie(route) + "Origin: " + origin + "\r\nContent-Length: 0\r\n";
        EXPECT_EQ(mine("/", fields, "POST").status(), 403) << origin;
        EXPECT_EQ(mine("/", Plane::cookie(route) + "Origin: " + origin + "\r\n").status(), 200) << origin;
    }
    // A form of a page that sends no referrers has no Origin either; the browser tells whose page it is.
    for (const auto& [site, status] : std::map<std::string, int>{
             {"same-origin", 200}, {"same-site", 403}, {"cross-site", 403}, {"none", 403}}) {
        auto fields = Plane::cookie(route) + "Origin: null\r\nContent-Length: 0\r\nSec-Fetch-Site: " + site;
        EXPECT_EQ(mine("/", fields + "\r\n", "POST").status(), status) << site;
    }
    auto neighbour = Plane::cookie(route) + "Origin: http://" + Plane::host(second) +
                     "\r\nContent-Length: 0\r\nSec-Fetch-Site: same-origin\r\n";
    EXPECT_EQ(mine("/", neighbour, "POST").status(), 403);
}

}  // namespace
}  // namespace agentdb9::test
