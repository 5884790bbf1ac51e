// Tickets in queries, and application cookies in requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/relay_headers.hpp"

namespace agentdb9::proxy {
namespace {

using testing::ElementsAre;

TEST(TicketQuery, FindsTheTicketAndDecodesIt) {
    EXPECT_EQ(ticket_in("agentdb9_ticket=abc"), "abc");
    EXPECT_EQ(ticket_in("a=b&agentdb9_ticket=a%20b%2Bc&d"), "a b+c");
    EXPECT_EQ(ticket_in("agentdb9_ticket=first&agentdb9_ticket=second"), "first");
    EXPECT_EQ(ticket_in("agentdb9_ticket=%zz%4"), "%zz%4");
    for (const char* query : {"", "agentdb9_ticket", "agentdb9_ticket=", "x=agentdb9_ticket=a",
                              "agentdb9_ticketx=a", "Agentdb9_ticket=a"})
        EXPECT_EQ(ticket_in(query), "") << query;
}

TEST(TicketQuery, TheRestOfTheQueryStaysAsItIs) {
    EXPECT_EQ(query_without_ticket("agentdb9_ticket=abc"), "");
    EXPECT_EQ(query_without_ticket("a=b&agentdb9_ticket=abc&c=%20;d"), "a=b&c=%20;d");
    EXPECT_EQ(query_without_ticket("agentdb9_ticket=1&agentdb9_ticket=2&a"), "a");
    EXPECT_EQ(query_without_ticket("agentdb9_ticket&x"), "x");
    EXPECT_EQ(query_without_ticket("a&&b&"), "a&&b&");
}

TEST(TicketQuery, AnEmptyQueryIsPassedOnAndOneOfTicketsIsNot) {
    EXPECT_EQ(query_part_without_ticket("/x"), "");
    EXPECT_EQ(query_part_without_ticket("/x?"), "?");
    EXPECT_EQ(query_part_without_ticket("/x??"), "??");
    EXPECT_EQ(query_part_without_ticket("/x?a=b?c"), "?a=b?c");
    EXPECT_EQ(query_part_without_ticket("/x?agentdb9_ticket=1"), "");
    EXPECT_EQ(query_part_without_ticket("/x?a&agentdb9_ticket=1"), "?a");
}

TEST(TicketQuery, ALinkIsFoundAndTakenOutLikeATicket) {
    EXPECT_EQ(ticket_in("agentdb9_ticket=a&agentdb9_share=b", kShareParameter), "b");
    EXPECT_EQ(ticket_in("agentdb9_ticket=a", kShareParameter), "");
    EXPECT_EQ(query_without_ticket("a&agentdb9_share=b&agentdb9_ticket=c&d"), "a&d");
}

TEST(ApplicationCookies, AreFoundInEveryField) {
    http::RequestHead head;
    ASSERT_FALSE(
        http::parse_request_head("GET / HTTP/1.1\r\nHost: a\r\nCookie: agentdb9_app=1; "
                                 "x=agentdb9_app=2;agentdb9_app=3=4\r\ncookie: agentdb9_app=\r\n"
                                 "X-Cookie: agentdb9_app=5\r\n\r\n",
                                 head));
    EXPECT_THAT(application_cookies(head), ElementsAre("1", "3=4", ""));
}

TEST(ApplicationCookies, OfAnotherNameAreOthers) {
    http::RequestHead head;
    ASSERT_FALSE(
        http::parse_request_head("GET / HTTP/1.1\r\nHost: a\r\nCookie: agentdb9_app=1; "
                                 "__Host-agentdb9_app=2; agentdb9_link=3\r\n\r\n",
                                 head));
    EXPECT_THAT(application_cookies(head, "__Host-agentdb9_app"), ElementsAre("2"));
    EXPECT_THAT(application_cookies(head, kLinkCookie), ElementsAre("3"));
    auto sent = upstream_request_head(head, "/", {});
    EXPECT_EQ(sent.find("agentdb9_"), sent.npos) << sent;
}

}  // namespace
}  // namespace agentdb9::proxy
