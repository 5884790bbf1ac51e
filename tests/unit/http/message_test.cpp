#include "http/message.hpp"

#include <gtest/gtest.h>

namespace agentdb9::http {
namespace {

TEST(Message, NamesCompareWithoutCaseInAsciiOnly) {
    EXPECT_TRUE(iequals("Content-Length", "cONTENT-lENGTH"));
    EXPECT_FALSE(iequals("Content-Length", "Content_Length"));
    EXPECT_FALSE(iequals("\xc3\x84", "\xc3\xa4"));
    // '@' and '`' differ by the same bit as letters do.
    EXPECT_FALSE(iequals("@", "`"));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_FALSE(iequals("", "a"));
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            const std::string one(1, static_cast<char>(a));
            const std::string other(1, static_cast<char>(b));
            const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
            EXPECT_EQ(iequals(one, other), lower(a) == lower(b)) << a << ' ' << b;
        }
}

TEST(Message, ListsHaveWholeElements) {
    EXPECT_TRUE(list_has("a, Close ,b", "close"));
    EXPECT_TRUE(list_has(",,\tclose", "close"));
    EXPECT_FALSE(list_has("closed, disclose", "close"));
    EXPECT_FALSE(list_has("", "close"));
}

TEST(Message, HeadersKeepTheirOrderAndReplaceAllOfAName) {
    Headers headers;
    headers.add("A", "1");
    headers.add("b", "2");
    headers.add("a", "3");
    EXPECT_EQ(headers.get("a"), "1");
    headers.set("A", "4");
    EXPECT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers.get("a"), "4");
    EXPECT_EQ(headers.begin()->name, "b");
    headers.remove("B");
    EXPECT_FALSE(headers.get("b"));
}

TEST(Message, PathAndQueryOfATarget) {
    Request request;
    request.target = "/a?b?c";
    EXPECT_EQ(request.path(), "/a");
    EXPECT_EQ(request.query(), "b?c");
    request.target = "/a";
    EXPECT_EQ(request.path(), "/a");
    EXPECT_EQ(request.query(), "");
}

}  // namespace
}  // namespace agentdb9::http
