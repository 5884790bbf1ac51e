// The page that is shown while a workspace starts.
#include "proxy/starting_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace agentdb9::proxy {
namespace {

using model::Awakening;
using testing::HasSubstr;
using testing::Not;

Waiting waiting(Awakening::State state = Awakening::State::kStarting) {
    Waiting value{.seen = {.state = state, .workspace = "desk", .percent = {}, .note = {}, .code = {}},
                  .open = "/w/8080/?a=1",
                  .look = "/w/8080/?a=1&agentdb9_starting=7",
                  .again = "/w/8080/?a=1&agentdb9_starting=again"};
    value.seen.phase = model::Phase::kPulling;
    return value;
}

TEST(StartingPage, LooksAgainWhileThereIsSomethingToWaitFor) {
    auto value = waiting();
    value.seen.percent = 40;
    const auto page = starting_page(value);
    EXPECT_EQ(page.status, 503);
    EXPECT_EQ(page.headers.get("Retry-After"), "2");
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-store");
    EXPECT_THAT(page.body, HasSubstr("role=\"status\""));
    EXPECT_THAT(page.body, HasSubstr("Fetching the image."));
    EXPECT_THAT(page.body, HasSubstr("value=\"40\""));
    EXPECT_THAT(page.body,
                HasSubstr("<noscript><meta http-equiv=\"refresh\" content=\"2;url=/w/8080/?a=1&amp;"
                          "agentdb9_starting=7\"></noscript>"));
    EXPECT_THAT(std::string(*page.headers.get("Content-Security-Policy")),
                testing::AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'sha256-"),
                               Not(HasSubstr("unsafe"))));
}

TEST(StartingPage, OneThatHasEndedDoesNotLookAgain) {
    for (auto state : {Awakening::State::kFailed, Awakening::State::kStopped, Awakening::State::kStopping}) {
        auto value = waiting(state);
        value.seen.note = "Because of <this>.";
        const auto page = starting_page(value);
        EXPECT_THAT(page.body, Not(HasSubstr("refresh")));
        EXPECT_THAT(page.body, Not(HasSubstr("<script")));
        EXPECT_THAT(page.body, HasSubstr("<a href=\"/w/8080/?a=1&amp;agentdb9_starting=again\">"));
        EXPECT_THAT(page.body, HasSubstr("Because of &lt;this&gt;."));
        EXPECT_FALSE(json::parse(starting_state(value).body).at("data").at("goesOn").as_bool());
    }
    auto value = waiting();
    value.too_long = true;
    EXPECT_THAT(starting_page(value).body, Not(HasSubstr("refresh")));
    EXPECT_THAT(starting_page(value).body, HasSubstr("Look again"));
    EXPECT_FALSE(json::parse(starting_state(value).body).at("data").at("goesOn").as_bool());
}

TEST(StartingPage, WhatUsersAndRequestsWroteStaysText) {
    auto value = waiting();
    value.seen.workspace = "<script>alert(1)</script>";
    value.look = "/w/8080/?\"><script>";
    value.open = "/w/8080/?'\"><img>";
    const auto body = starting_page(value).body;
    EXPECT_THAT(body, HasSubstr("&lt;script&gt;alert(1)"));
    EXPECT_THAT(body, Not(HasSubstr("?\"><")));
    EXPECT_THAT(start_refused_page({409, "x", "<b>", {}}, value.open).body,
                testing::AllOf(Not(HasSubstr("<b>")), Not(HasSubstr("<img>"))));
}

TEST(StartingPage, TheScriptHearsOfTheState) {
    auto value = waiting();
    value.seen.percent = 12;
    const auto data = json::parse(starting_state(value).body).at("data");
    EXPECT_EQ(data.at("state").as_string(), "starting");
    EXPECT_EQ(data.at("percent").as_int64(), 12);
    EXPECT_TRUE(data.at("goesOn").as_bool());
    EXPECT_EQ(json::parse(ready_state().body).at("data").at("state").as_string(), "ready");
}

}  // namespace
}  // namespace agentdb9::proxy
