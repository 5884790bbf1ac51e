// Requests for workspaces that are stopped and may be woken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kHtml = "Accept: text/html\r\n";
const std::string kNavigate = kHtml + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
const std::string kWebSocket =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    "AAAAAAAAAAAAAAAAAAAAAA==\r\n";

struct Waking : testing::Test {
    Upstream upstream{answering([](const Message& request) { return ok(request.head); })};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);
    std::string cookie = Plane::cookie(route);

    Waking() {
        route.wake_on_request = true;
        become(model::RouteState::kStopped);
    }
    void become(model::RouteState state) {
        route.state = state;
        plane.publish();
    }
    Message apps(const std::string& rest, const std::string& fields) {
        auto client = plane.apps();
        return ask(client, plane.get(Plane::app(route, rest), fields));
    }
    Message api(const std::string& fields = kBearer) {
        auto client = plane.api();
        return ask(client, plane.get(Plane::proxy(route, "/x"), fields));
    }
};

TEST_F(Waking, ANavigationGetsThePageThatFollowsTheStart) {
    auto answer = apps("/x?a=b", cookie + kNavigate);
    EXPECT_EQ(plane.wakes, 1);
    EXPECT_EQ(answer.status(), 503);
    EXPECT_EQ(answer.field("Content-Type"), "text/html; charset=utf-8");
    EXPECT_THAT(answer.body, HasSubstr("Starting desk"));
    EXPECT_THAT(answer.body, HasSubstr("data-open=\"" + Plane::app(route, "/x?a=b") + "\""));
    EXPECT_THAT(answer.body, HasSubstr("a=b&amp;agentdb9_starting="));
}

TEST_F(Waking, AProgramIsToldToComeAgain) {
    auto answer = api();
    EXPECT_EQ(plane.wakes, 1);
    EXPECT_EQ(answer.status(), 503);
    EXPECT_EQ(answer.field("Retry-After"), "2");
    EXPECT_THAT(answer.body, HasSubstr("\"code\":\"workspace_starting\""));
}

TEST_F(Waking, WhatAPageAsksForByItselfIsRefusedAsEver) {
    for (const auto& fields :
         {cookie, cookie + "Accept: */*\r\n", cookie + kHtml + "Sec-Fetch-Mode: cors\r\n",
          cookie + kWebSocket, cookie + kNavigate + kWebSocket, kBearer + kWebSocket}) {
        auto answer = apps("/x", fields);
        EXPECT_EQ(answer.status(), 503) << fields;
        EXPECT_THAT(answer.body, HasSubstr("workspace_not_running")) << fields;
    }
    EXPECT_EQ(plane.wakes, 0);
}

TEST_F(Waking, NobodyElseWakesAnything) {
    EXPECT_EQ(api("Authorization: Bearer others\r\n").status(), 404);
    EXPECT_EQ(api("").status(), 401);
    EXPECT_EQ(apps("/x", kNavigate).status(), 401);
    EXPECT_EQ(apps("/x?agentdb9_starting=7", kNavigate).status(), 401);
    EXPECT_EQ(apps("/x?agentdb9_starting=7", "Authorization: Bearer others\r\n").status(), 404);
    EXPECT_EQ(apps("/x", Plane::cookie(route, 9999) + kNavigate).status(), 401);
    EXPECT_EQ(plane.wakes, 0);
    EXPECT_EQ(plane.looks, 0);
}

TEST_F(Waking, WithoutTheSettingNothingIsWoken) {
    route.wake_on_request = false;
    plane.publish();
    EXPECT_THAT(apps("/x", cookie + kNavigate).body, HasSubstr("workspace_not_running"));
    EXPECT_THAT(api().body, HasSubstr("workspace_not_running"));
    EXPECT_EQ(plane.wakes, 0);
}

TEST_F(Waking, ThePageOfTheStartOnlyLooks) {
    const std::string look = "/x?agentdb9_starting=8000000000&a=b";
    plane.awakening.state = model::Awakening::State::kStopped;
    EXPECT_THAT(apps(look, cookie + kNavigate).body, HasSubstr("Start it"));
    auto state = apps(look, cookie + "Accept: application/json\r\n");
    EXPECT_EQ(state.status(), 200);
    EXPECT_THAT(state.body, HasSubstr("\"state\":\"stopped\""));
    become(model::RouteState::kHeld);
    plane.awakening.state = model::Awakening::State::kStarting;
    EXPECT_THAT(apps(look, cookie).body, HasSubstr("\"state\":\"starting\""));
    EXPECT_EQ(plane.wakes, 0);
    EXPECT_EQ(plane.looks, 3);
    become(model::RouteState::kReady);
    EXPECT_THAT(apps(look, cookie).body, HasSubstr("\"state\":\"ready\""));
    auto there = apps(look, cookie + kNavigate);
    EXPECT_EQ(there.status(), 303);
    EXPECT_EQ(there.field("Location"), Plane::app(route, "/x?a=b"));
    EXPECT_EQ(plane.looks, 3);
    EXPECT_EQ(upstream.accepted(), 0) << "no application hears of it";
}

TEST_F(Waking, NoApplicationSeesOurParameterWhateverTheVerb) {
    become(model::RouteState::kReady);
    for (std::string method : {"POST", "PUT", "DELETE"}) {
        auto client = plane.apps();
        auto answer = ask(client, method + " " + Plane::app(route, "/x?a=b&agentdb9_starting=again&c") +
                                      " HTTP/1.1\r\nHost: a\r\n" + cookie + "Content-Length: 0\r\n\r\n");
        EXPECT_THAT(answer.body, testing::StartsWith(method + " /x?a=b&c HTTP/1.1\r\n"));
    }
    EXPECT_THAT(apps("/x?agentdb9_starting=7", cookie + kWebSocket).body,
                testing::StartsWith("GET /x HTTP/1.1\r\n"));
}

TEST_F(Waking, TheLinkOfOurPagesStartsItAgainAlsoInAFrame) {
    const std::string again = "/x?a=b&agentdb9_starting=again";
    const auto frame =
        cookie + kHtml +
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nSec-Fetch-Site: same-origin\r\n";
    EXPECT_THAT(apps("/x?a=b", frame).body, HasSubstr("workspace_not_running"));
    EXPECT_EQ(apps(again, cookie + "Accept: */*\r\n").status(), 200) << "a script only looks";
    EXPECT_THAT(apps(again, frame + kWebSocket).body, HasSubstr("workspace_not_running"));
    EXPECT_EQ(plane.wakes, 0);
    EXPECT_THAT(apps(again, frame).body, HasSubstr("data-open=\"" + Plane::app(route, "/x?a=b") + "\""));
    EXPECT_EQ(plane.wakes, 1);
    become(model::RouteState::kHeld);
    EXPECT_THAT(apps(again, frame).body, HasSubstr("Starting desk"));
    become(model::RouteState::kReady);
    EXPECT_EQ(apps(again, frame).field("Location"), Plane::app(route, "/x?a=b"));
    EXPECT_EQ(plane.wakes, 1);
    EXPECT_EQ(upstream.accepted(), 0);
}

TEST_F(Waking, WhoWaitsTooLongIsAsked) {
    become(model::RouteState::kHeld);
    auto page = apps("/x?agentdb9_starting=1", cookie + kNavigate);
    EXPECT_THAT(page.body, HasSubstr("Look again"));
    EXPECT_THAT(page.body, Not(HasSubstr("refresh")));
}

TEST_F(Waking, ARefusedStartSaysWhy) {
    plane.wake_refused = http::Problem{409, "project_in_use", "The project is <in use>.", {}};
    auto page = apps("/x", cookie + kNavigate);
    EXPECT_EQ(page.status(), 409);
    EXPECT_THAT(page.body, HasSubstr("The project is &lt;in use&gt;."));
    EXPECT_THAT(page.body, HasSubstr("Try again"));
    EXPECT_THAT(page.body, Not(HasSubstr("refresh")));
    auto program = api();
    EXPECT_EQ(program.status(), 409);
    EXPECT_THAT(program.body, HasSubstr("project_in_use"));
    plane.wake_refused = http::Problem{503, "runtime_unavailable", "The engine does not answer.", {}};
    EXPECT_EQ(api().field("Retry-After"), "2");
}

TEST_F(Waking, AStartThatFailedAMomentAgoIsToldAndNotTriedAgainByItself) {
    plane.awakening.state = model::Awakening::State::kFailed;
    plane.awakening.note = "The image <x> cannot be pulled.";
    plane.awakening.code = "image_unavailable";
    plane.awakening.pause_seconds = 42;
    auto program = api();
    EXPECT_EQ(program.status(), 503);
    EXPECT_EQ(program.field("Retry-After"), "42");
    EXPECT_THAT(program.body, HasSubstr("\"code\":\"workspace_start_failed\""));
    EXPECT_THAT(program.body, HasSubstr("The image <x> cannot be pulled."));
    auto page = apps("/x", cookie + kNavigate);
    EXPECT_EQ(page.status(), 503);
    EXPECT_THAT(page.body, HasSubstr("The image &lt;x&gt; cannot be pulled."));
    EXPECT_THAT(page.body, HasSubstr("agentdb9_starting=again\">Try again</a>"));
    EXPECT_THAT(page.body, Not(HasSubstr("<script")));
    EXPECT_EQ(plane.insisted, 0);
    plane.awakening = {.workspace = "desk", .percent = {}, .note = {}, .code = {}};
    EXPECT_THAT(apps("/x?agentdb9_starting=again", cookie + kNavigate).body, HasSubstr("Starting desk"));
    EXPECT_EQ(plane.insisted, 1) << "who follows the link means it";
}

TEST_F(Waking, WhatWaitedWhenItWasStoppedDoesNotStartIt) {
    become(model::RouteState::kHeld);
    auto client = plane.apps();
    client.send(plane.get(Plane::app(route, "/x"), kBearer));
    ASSERT_TRUE(eventually([&] { return plane.authentications == 1; }));
    // The answer to this one comes by the same way, after it: by then it has looked at the workspace.
    EXPECT_EQ(apps("/x?agentdb9_starting=1", cookie).status(), 200);
    become(model::RouteState::kStopped);
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 503);
    EXPECT_THAT(answer.body, HasSubstr("workspace_not_running"));
    EXPECT_EQ(plane.wakes, 0);
}

TEST_F(Waking, APageThatWaitsForAStartFollowsIt) {
    become(model::RouteState::kHeld);
    EXPECT_THAT(apps("/x", cookie + kNavigate).body, HasSubstr("Starting desk"));
    EXPECT_EQ(plane.wakes, 0);
}

}  // namespace
}  // namespace agentdb9::test
