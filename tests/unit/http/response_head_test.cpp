#include <gtest/gtest.h>

#include "http/head.hpp"

namespace agentdb9::http {
namespace {

using Kind = Framing::Kind;

bool reads(std::string_view text, ResponseHead& head, std::string_view method = "GET") {
    auto end = find_head_end(text, 0);
    if (!end || !*end) return false;
    return !parse_response_head(std::string(text.substr(0, **end)), method, head);
}

bool reads(std::string_view text) {
    ResponseHead head;
    return reads(text, head);
}

Framing framing_of(std::string_view text, std::string_view method = "GET") {
    ResponseHead head;
    EXPECT_TRUE(reads(text, head, method)) << text;
    return head.framing;
}

TEST(ResponseHead, IsReadIntoItsParts) {
    ResponseHead head;
    ASSERT_TRUE(reads("HTTP/1.1 404 Not  Found here\r\nX: y\r\nContent-Length: 3\r\n\r\n", head));
    EXPECT_EQ(head.status, 404);
    EXPECT_EQ(head.reason, "Not  Found here");
    EXPECT_EQ(head.get("x"), "y");
    EXPECT_EQ(head.framing.kind, Kind::kLength);
    EXPECT_EQ(head.framing.length, 3U);
    EXPECT_TRUE(head.keep_alive);
    ASSERT_TRUE(reads("HTTP/1.0 200\r\n\r\n", head));
    EXPECT_EQ(head.reason, "");
    EXPECT_FALSE(head.keep_alive);
    ASSERT_TRUE(reads("HTTP/1.0 200 \r\nConnection: keep-alive\r\n\r\n", head));
    EXPECT_TRUE(head.keep_alive);
}

TEST(ResponseHead, MalformedStatusLinesAreRefused) {
    for (std::string_view line :
         {"", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 2x0 OK", "HTTP/1.1 -20 OK",
          "HTTP/1.1 099 X", "HTTP/1.1  200 OK", "HTTP/2.0 200 OK", "HTTP/1.1\t200 OK", "http/1.1 200 OK",
          "HTTP/1.1 200OK", "200 OK", "ICY 200 OK", "HTTP/1.1 200 a\x01", "HTTP/1.1 200 a\rb",
          "HTTP/1.1 +20 OK"})
        EXPECT_FALSE(reads(std::string(line) + "\r\nX: y\r\n\r\n")) << line;
}

TEST(ResponseHead, ConnectionNamesAFewFieldsOnly) {
    const auto with = [](std::size_t commas) {
        return "HTTP/1.1 200 OK\r\nConnection: close" + std::string(commas, ',') + "\r\n\r\n";
    };
    EXPECT_TRUE(reads(with(kMaxConnectionNames - 1)));
    EXPECT_FALSE(reads(with(kMaxConnectionNames)));
}

TEST(ResponseHead, DoubtfulFramingIsRefused) {
    for (std::string_view fields :
         {"Content-Length: 3\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\nContent-Length: 3",
          "Content-Length: x", "Transfer-Encoding: gzip", "Transfer-Encoding: xchunked",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\n folded", "X : y",
          "X: a\x01"})
        EXPECT_FALSE(reads("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n\r\n")) << fields;
    EXPECT_FALSE(reads("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_FALSE(reads("HTTP/1.1 200 OK\nContent-Length: 0\n\n"));
}

TEST(ResponseHead, SaysHowItsBodyEnds) {
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\n\r\n").kind, Kind::kUntilClose);
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").kind, Kind::kChunked);
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").kind, Kind::kLength);
}

TEST(ResponseHead, SomeAnswersHaveNoBodyWhateverTheySay) {
    for (std::string status : {"100", "101", "103", "204", "304"}) {
        auto text = "HTTP/1.1 " + status + " X\r\nContent-Length: 5\r\n\r\n";
        EXPECT_EQ(framing_of(text).kind, Kind::kNone) << status;
    }
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD").kind, Kind::kNone);
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD").kind, Kind::kNone);
    EXPECT_EQ(framing_of("HTTP/1.1 205 X\r\nContent-Length: 0\r\n\r\n").kind, Kind::kLength);
}

}  // namespace
}  // namespace agentdb9::http
