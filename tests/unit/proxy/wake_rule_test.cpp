// Which requests start a stopped workspace.
#include "proxy/wake_rule.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

struct Request {
    explicit Request(const std::string& fields, const std::string& line = "GET /w/8080/") {
        EXPECT_FALSE(http::parse_request_head(line + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", head))
            << fields;
    }
    http::RequestHead head;
};

bool cookie_wakes(const std::string& fields, const std::string& line = "GET /w/8080/") {
    return may_wake(Request(fields, line).head, true);
}
bool token_wakes(const std::string& fields, const std::string& line = "GET /w/8080/") {
    return may_wake(Request(fields, line).head, false);
}

const std::string kHtml = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
const std::string kNavigate = kHtml + "Sec-Fetch-Mode: navigate\r\n";
const std::string kWebSocket =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    "AAAAAAAAAAAAAAAAAAAAAA==\r\n";

TEST(WakeRule, ANavigationWakes) {
    EXPECT_TRUE(cookie_wakes(kNavigate + "Sec-Fetch-Dest: document\r\nSec-Fetch-User: ?1\r\n"));
    EXPECT_TRUE(cookie_wakes(kNavigate));
    EXPECT_TRUE(cookie_wakes(kHtml)) << "browsers send Sec-Fetch-Mode to https and localhost only";
}

TEST(WakeRule, WhatAPageFetchesByItselfDoesNot) {
    for (std::string mode : {"cors", "no-cors", "same-origin", "websocket"}) {
        EXPECT_FALSE(cookie_wakes(kHtml + "Sec-Fetch-Mode: " + mode + "\r\n")) << mode;
        EXPECT_FALSE(token_wakes(kHtml + "Sec-Fetch-Mode: " + mode + "\r\n")) << mode;
    }
    EXPECT_FALSE(cookie_wakes(""));
    EXPECT_FALSE(cookie_wakes("Accept: */*\r\n"));
    EXPECT_FALSE(cookie_wakes("Accept: image/avif,image/webp,*/*\r\n"));
    EXPECT_FALSE(cookie_wakes("Accept: application/json\r\n"));
    EXPECT_FALSE(cookie_wakes(kHtml + "X-Requested-With: XMLHttpRequest\r\n"));
    for (std::string method : {"POST", "HEAD", "PUT", "DELETE", "OPTIONS"})
        EXPECT_FALSE(cookie_wakes(kNavigate, method + " /w/8080/")) << method;
    for (std::string destination : {"image", "script", "style", "empty", "embed", "object", "worker"})
        EXPECT_FALSE(cookie_wakes(kNavigate + "Sec-Fetch-Dest: " + destination + "\r\n")) << destination;
}

TEST(WakeRule, AFrameWakesUnlessItIsAPartOfAPageOfThatOrigin) {
    const auto frame = kNavigate + "Sec-Fetch-Dest: iframe\r\n";
    EXPECT_TRUE(cookie_wakes(frame + "Sec-Fetch-Site: same-site\r\n"));
    EXPECT_FALSE(cookie_wakes(frame + "Sec-Fetch-Site: same-origin\r\n"));
    EXPECT_FALSE(cookie_wakes(frame + "Sec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\n"));
}

TEST(WakeRule, APageThatIsFetchedInAdvanceDoesNot) {
    EXPECT_FALSE(cookie_wakes(kNavigate + "Sec-Purpose: prefetch;prerender\r\n"));
    EXPECT_FALSE(cookie_wakes(kNavigate + "Purpose: prefetch\r\n"));
    EXPECT_FALSE(cookie_wakes(kNavigate + "X-Moz: prefetch\r\n"));
}

TEST(WakeRule, ABrowserTellsWhetherAnotherPageLeadsHere) {
    for (std::string site : {"same-site", "cross-site", "anything"})
        EXPECT_TRUE(comes_from_elsewhere(Request("Sec-Fetch-Site: " + site + "\r\n").head)) << site;
    for (std::string fields : {"", "Sec-Fetch-Site: none\r\n", "Sec-Fetch-Site: same-origin\r\n"})
        EXPECT_FALSE(comes_from_elsewhere(Request(fields).head)) << fields;
}

TEST(WakeRule, ATokenWakesWhateverItAsksFor) {
    EXPECT_TRUE(token_wakes(""));
    EXPECT_TRUE(token_wakes("Accept: application/json\r\n"));
    EXPECT_TRUE(token_wakes("Content-Length: 0\r\n", "POST /w/8080/run"));
    EXPECT_TRUE(token_wakes(kNavigate));
}

TEST(WakeRule, NoUpgradeWakes) {
    EXPECT_FALSE(token_wakes(kWebSocket));
    EXPECT_FALSE(cookie_wakes(kNavigate + kWebSocket));
    EXPECT_FALSE(token_wakes("Connection: Upgrade\r\nUpgrade: anything\r\n"));
    // Which is never granted, and so asks for the page itself.
    EXPECT_TRUE(token_wakes("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"));
}

TEST(StartingQuery, SaysSinceWhenSomebodyWaits) {
    const auto asked = [](const std::string& line) { return starting_query(Request("", line).head); };
    EXPECT_EQ(asked("GET /w/8080/?agentdb9_starting=1800000000")->since,
              base::from_unix_ms(1'800'000'000'000));
    EXPECT_EQ(asked("GET /w/8080/?a=b&agentdb9_starting=7&c")->since, base::from_unix_ms(7000));
    EXPECT_FALSE(asked("GET /w/8080/?agentdb9_starting=7")->again);
    EXPECT_TRUE(asked("GET /w/8080/?a&agentdb9_starting=again")->again);
    EXPECT_FALSE(asked("GET /w/8080/"));
    EXPECT_FALSE(asked("GET /w/8080/?agentdb9_startingx=1&x=agentdb9_starting"));
    EXPECT_FALSE(asked("POST /w/8080/?agentdb9_starting=7"));
    EXPECT_FALSE(starting_query(Request(kWebSocket, "GET /w/8080/?agentdb9_starting=7").head));
    for (std::string odd :
         {"", "=", "=x", "=-5", "=7x", "=99999999999999999999", "=9223372036854775807", "=Again"}) {
        const auto query = asked("GET /w/8080/?agentdb9_starting" + odd);
        EXPECT_EQ(query->since, base::from_unix_ms(0)) << odd;
        EXPECT_FALSE(query->again) << odd;
    }
}

TEST(StartingQuery, TheRestOfTheQueryStaysAsItIs) {
    EXPECT_EQ(query_without_starting("agentdb9_starting=1"), "");
    EXPECT_EQ(query_without_starting("a=%20&agentdb9_starting=1"), "a=%20");
    EXPECT_EQ(query_without_starting("a&&agentdb9_starting=1"), "a&");
    EXPECT_EQ(query_without_starting("agentdb9_starting&b&agentdb9_starting=2&c"), "b&c");
}

}  // namespace
}  // namespace agentdb9::proxy
