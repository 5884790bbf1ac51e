#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/head.hpp"

namespace agentdb9::http {
namespace {

using testing::ElementsAre;
using Kind = Framing::Kind;

// What becomes of `text` on a connection: 0 for a head that is understood, else the status of the refusal; -1
// where more bytes are awaited.
int verdict(std::string_view text, RequestHead& head) {
    auto end = find_head_end(text, 0);
    if (!end) return end.error().status;
    if (!*end) return -1;
    auto error = parse_request_head(std::string(text.substr(0, **end)), head);
    return error ? error->status : 0;
}

int verdict(std::string_view text) {
    RequestHead head;
    return verdict(text, head);
}

// A request with these lines, each without its CRLF, behind the request line and Host.
std::string with_fields(std::string_view fields, std::string_view line = "POST / HTTP/1.1") {
    return std::string(line) + "\r\nHost: a.example\r\n" + std::string(fields) + "\r\n\r\n";
}

TEST(RequestHead, IsReadIntoItsParts) {
    RequestHead head;
    ASSERT_EQ(
        verdict("GET /a/b?c=d&e HTTP/1.1\r\nHost: a.example:8000\r\nX-One:  two words \t\r\nEmpty:\r\n\r\n",
                head),
        0);
    EXPECT_EQ(head.method, "GET");
    EXPECT_EQ(head.target, "/a/b?c=d&e");
    EXPECT_EQ(head.path(), "/a/b");
    EXPECT_EQ(head.query(), "c=d&e");
    EXPECT_EQ(head.host, "a.example:8000");
    EXPECT_EQ(head.minor_version, 1);
    EXPECT_EQ(head.get("x-one"), "two words");
    EXPECT_EQ(head.get("empty"), "");
    EXPECT_FALSE(head.get("X-Two"));
    EXPECT_EQ(head.framing.kind, Kind::kNone);
    EXPECT_TRUE(head.keep_alive);
}

TEST(RequestHead, PathsArePassedAsTheyWereWritten) {
    for (std::string target : {"/", "//double//slash", "/%2e%2e/%2F..", "/a/../../b", "/.", "/a;b=c", "/%00",
                               "/a%zz", "/~'()*!$&,+=:@[]|\\^`{}\"<>"}) {
        RequestHead head;
        ASSERT_EQ(verdict("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n", head), 0) << target;
        EXPECT_EQ(head.target, target);
    }
}

TEST(RequestHead, BytesThatNoTargetHasAreRefused) {
    for (std::string target :
         {"/a\tb", "/a\x01", "/a\x7f", "/caf\xc3\xa9", "/a#fragment", "a", "", "*", "?a", "."})
        EXPECT_EQ(verdict("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << target;
    EXPECT_EQ(verdict(std::string("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 31)), 400);
}

TEST(RequestHead, MalformedRequestLinesAreRefused) {
    for (std::string_view line : {"GET",
                                  "GET /",
                                  "GET  / HTTP/1.1",
                                  "GET /  HTTP/1.1",
                                  " GET / HTTP/1.1",
                                  "GET / HTTP/1.1 ",
                                  "GET /\tHTTP/1.1",
                                  "GET / http/1.1",
                                  "GET / HTTP/1,1",
                                  "GET / HTTP/1.10",
                                  "GET / HTTP/11",
                                  "GET / XTTP/1.1",
                                  "GET / HTTP/1.x",
                                  "GET / HTTP 1.1",
                                  "GET / IHTTP/1.0",
                                  "G(T / HTTP/1.1",
                                  "GE\"T / HTTP/1.1",
                                  "G\x80T / HTTP/1.1",
                                  ": / HTTP/1.1",
                                  "GET / HTTP/1.1\rX: y",
                                  "\x16\x03\x01"})
        EXPECT_EQ(verdict(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
    EXPECT_EQ(verdict("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestHead, OtherVersionsAreNotSpoken) {
    EXPECT_EQ(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    EXPECT_EQ(verdict("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(verdict("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(verdict("GET / HTTP/9.9\r\nHost: a\r\n\r\n"), 505);
    // HTTP/0.9 as it was.
    EXPECT_EQ(verdict("GET /\r\n\r\n"), 400);
    // A minor version that we do not know is read as our own (RFC 9112 section 2.3).
    RequestHead head;
    EXPECT_EQ(verdict("GET / HTTP/1.2\r\nHost: a\r\n\r\n", head), 0);
    EXPECT_EQ(head.minor_version, 1);
}

TEST(RequestHead, MethodsAreTokensInTheirOwnCase) {
    for (std::string method : {"get", "M-SEARCH", "PROPFIND", "X!#$%&'*+-.^_`|~9"}) {
        RequestHead head;
        ASSERT_EQ(verdict(method + " / HTTP/1.1\r\nHost: a\r\n\r\n", head), 0);
        EXPECT_EQ(head.method, method);
    }
    EXPECT_TRUE(is_idempotent("GET"));
    EXPECT_FALSE(is_idempotent("get"));
    EXPECT_FALSE(is_idempotent("POST"));
    EXPECT_FALSE(is_idempotent("PATCH"));
}

TEST(RequestHead, ConnectAndForeignTargetsAreRefused) {
    EXPECT_EQ(verdict("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"), 400);
    EXPECT_EQ(verdict("CONNECT / HTTP/1.1\r\nHost: a.example\r\n\r\n"), 400);
    for (std::string_view target :
         {"http://b.example/", "https://b.example/", "http://a.example:80/", "http://user@a.example/",
          "http:///", "http://a.example.evil/", "http://a.example?x", "ftp://a.example/", "a.example:443",
          "//a.example", "http:/a"}) {
        auto text = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
        EXPECT_EQ(verdict(text), target.starts_with('/') ? 0 : 400) << target;
    }
    EXPECT_EQ(verdict("GET http:/// HTTP/1.1\r\nHost:\r\n\r\n"), 400);
}

TEST(RequestHead, AnAbsoluteTargetThatNamesThisHostBecomesItsPath) {
    RequestHead head;
    ASSERT_EQ(verdict("GET HTTP://A.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n", head), 0);
    EXPECT_EQ(head.target, "/x?y");
    ASSERT_EQ(verdict("GET http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n", head), 0);
    EXPECT_EQ(head.target, "/");
    ASSERT_EQ(verdict("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", head), 0);
    EXPECT_EQ(head.target, "*");
}

TEST(RequestHead, HasExactlyOneHost) {
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nX: y\r\n\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(verdict("GET / HTTP/1.0\r\n\r\n"), 0);
    for (std::string host :
         {"a b",  "a/b",     "a@b",     "a?b",     "a,b",   "a\\b",        "a\"b",   "a<b",  "\xc3\xa9",
          "a:b",  "a:80:81", "a:8o",    "a:+80",   "a:80:", ":80",         ":",      "[::1", "::1",
          "::1]", "[]",      "[::1]80", "[::1]:x", "a[1]",  "[::1]:80:81", "[[::1]]"})
        EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 400) << host;
    for (std::string host : {"", "a", "a:", "A.example:8000", "a.example.:80", "[::1]", "[::1]:80",
                             "[fe80::1%25eth0]:80", "127.0.0.1", "8080--x.apps.example", "a_b"})
        EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 0) << host;
}

TEST(RequestHead, FieldsThatTwoParsersReadInTwoWaysAreRefused) {
    for (std::string_view fields :
         {"X : y",     "X\t: y", " X: y",    "\tX: y", "X: y\r\n folded", "X: y\r\n\tfolded", "no colon",
          ": no name", "X y: z", "X\x01: y", "X(: y",  "X: y\x01z",       "X: y\x7f",         "X: y\rz",
          "X: y\r",    "\r",     "X\r: y",   "X;: y",  "X\xc3\xa9: y",    "{X}: y",           "X: y\x0bz"})
        EXPECT_EQ(verdict(with_fields(fields)), 400) << fields;
    EXPECT_EQ(verdict(with_fields(std::string_view("X: a\0b", 6))), 400);
    EXPECT_EQ(verdict(with_fields(std::string_view("X\0: b", 5))), 400);
    // Bytes above ASCII are opaque in values (RFC 9110 section 5.5).
    EXPECT_EQ(verdict(with_fields("X: caf\xc3\xa9")), 0);
    EXPECT_EQ(verdict(with_fields("X: a\tb")), 0);
}

TEST(RequestHead, LinesThatEndWithLineFeedAloneAreRefusedAtOnce) {
    for (std::string_view text :
         {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", "\n",
          "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\n\n"})
        EXPECT_EQ(verdict(text), 400) << text;
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\n\r"), -1);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r"), -1);
    EXPECT_EQ(verdict(""), -1);
}

TEST(RequestHead, SmugglingShapesAreRefused) {
    for (std::string_view fields : {
             "Content-Length: 5\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: chunked\r\nContent-Length: 5",
             "Content-Length: 0\r\nTransfer-Encoding: chunked",
             "Content-Length: 5\r\nContent-Length: 5",
             "Content-Length: 5\r\nContent-Length: 6",
             "Content-Length: 5, 5",
             "Content-Length: 5,6",
             "Content-Length: +5",
             "Content-Length: -5",
             "Content-Length: 0x5",
             "Content-Length: 5 5",
             "Content-Length: 5;",
             "Content-Length: 5.0",
             "Content-Length: \"5\"",
             "Content-Length:",
             "Content-Length: 18446744073709551616",
             "Content-Length: 9999999999999999999",
             "Transfer-Encoding:",
             "Transfer-Encoding: xchunked",
             "Transfer-Encoding: chunkedx",
             "Transfer-Encoding: chunk",
             "Transfer-Encoding: identity",
             "Transfer-Encoding: gzip",
             "Transfer-Encoding: gzip, chunked",
             "Transfer-Encoding: chunked, gzip",
             "Transfer-Encoding: chunked, chunked",
             "Transfer-Encoding: chunked, identity",
             "Transfer-Encoding: identity, chunked",
             "Transfer-Encoding: ,chunked",
             "Transfer-Encoding: chunked,",
             "Transfer-Encoding: \"chunked\"",
             "Transfer-Encoding: 'chunked'",
             "Transfer-Encoding: chunked;q=1",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
             "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
             "Transfer-Encoding : chunked",
             "Transfer-Encoding\t:chunked",
             "Transfer-Encoding:\x0b"
             "chunked",
             "Transfer-Encoding: \x01"
             "chunked",
             "Transfer-Encoding: chunked\x0b",
             "Transfer-Encoding:\r\n chunked",
             "X: y\rTransfer-Encoding: chunked",
             " Transfer-Encoding: chunked",
             "Transfer-Encoding\x80: chunked",
             "Content-Length : 5",
             "Content-Length\r\n: 5",
         })
        EXPECT_EQ(verdict(with_fields(fields)), 400) << fields;
    EXPECT_EQ(verdict(with_fields("Transfer-Encoding: chunked", "POST / HTTP/1.0")), 400);
}

TEST(RequestHead, SaysHowItsBodyEnds) {
    RequestHead head;
    ASSERT_EQ(verdict(with_fields("Content-Length: 5"), head), 0);
    EXPECT_EQ(head.framing.kind, Kind::kLength);
    EXPECT_EQ(head.framing.length, 5U);
    ASSERT_EQ(verdict(with_fields("content-length:\t007 "), head), 0);
    EXPECT_EQ(head.framing.length, 7U);
    ASSERT_EQ(verdict(with_fields("Content-Length: 999999999999999999"), head), 0);
    EXPECT_EQ(head.framing.length, 999'999'999'999'999'999U);
    ASSERT_EQ(verdict(with_fields("Content-Length: 0"), head), 0);
    EXPECT_EQ(head.framing.kind, Kind::kNone);
    ASSERT_EQ(verdict(with_fields("TRANSFER-ENCODING:  Chunked\t"), head), 0);
    EXPECT_EQ(head.framing.kind, Kind::kChunked);
    // A request without either has no body, whatever its method (RFC 9112 section 6.3).
    ASSERT_EQ(verdict(with_fields("X: y"), head), 0);
    EXPECT_EQ(head.framing.kind, Kind::kNone);
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
    auto keeps = [](std::string_view version, std::string_view connection) {
        RequestHead head;
        EXPECT_EQ(verdict(with_fields(connection, "GET / " + std::string(version)), head), 0);
        return head.keep_alive;
    };
    EXPECT_TRUE(keeps("HTTP/1.1", "X: y"));
    EXPECT_TRUE(keeps("HTTP/1.1", "Connection: keep-alive"));
    EXPECT_FALSE(keeps("HTTP/1.1", "Connection: close"));
    EXPECT_FALSE(keeps("HTTP/1.1", "Connection: foo, CLOSE"));
    EXPECT_FALSE(keeps("HTTP/1.1", "Connection: foo\r\nConnection: close"));
    EXPECT_FALSE(keeps("HTTP/1.0", "X: y"));
    EXPECT_TRUE(keeps("HTTP/1.0", "Connection: Keep-Alive"));
    EXPECT_FALSE(keeps("HTTP/1.0", "Connection: keep-alive, close"));
}

TEST(RequestHead, ConnectionNamesAFewFieldsOnly) {
    const auto connection = [](std::size_t names, std::string_view between = ",") {
        std::string list = "a";
        for (std::size_t i = 1; i < names; ++i)
            list += std::string(between) + "a";
        return list;
    };
    EXPECT_EQ(verdict(with_fields("Connection: " + connection(kMaxConnectionNames))), 0);
    EXPECT_EQ(verdict(with_fields("Connection: " + connection(kMaxConnectionNames + 1))), 431);
    EXPECT_EQ(verdict(with_fields("Connection: " + connection(kMaxConnectionNames - 1, "\r\nconnection: "))),
              0);
    EXPECT_EQ(verdict(with_fields("Connection: " + connection(kMaxConnectionNames + 1, "\r\nconnection: "))),
              431);
    EXPECT_EQ(verdict(with_fields("Connection: " + std::string(24'000, ','))), 431) << "empty ones count";
    EXPECT_EQ(verdict(with_fields("X: " + std::string(24'000, ','))), 0);
}

TEST(RequestHead, AnUpgradeCountsOnlyWhereConnectionNamesIt) {
    RequestHead head;
    ASSERT_EQ(verdict(with_fields("Upgrade: websocket\r\nConnection: keep-alive, Upgrade"), head), 0);
    EXPECT_EQ(head.upgrade, "websocket");
    ASSERT_EQ(verdict(with_fields("Upgrade: websocket"), head), 0);
    EXPECT_EQ(head.upgrade, "");
    ASSERT_EQ(verdict(with_fields("Connection: upgrade"), head), 0);
    EXPECT_EQ(head.upgrade, "");
}

TEST(RequestHead, AnExpectationCountsInHttp11Only) {
    RequestHead head;
    ASSERT_EQ(verdict(with_fields("Expect: 100-Continue\r\nContent-Length: 1"), head), 0);
    EXPECT_TRUE(head.expects_continue);
    ASSERT_EQ(verdict(with_fields("Expect: 100-continue\r\nContent-Length: 1", "POST / HTTP/1.0"), head), 0);
    EXPECT_FALSE(head.expects_continue);
    ASSERT_EQ(verdict(with_fields("Expect: something"), head), 0);
    EXPECT_FALSE(head.expects_continue);
}

TEST(RequestHead, SeveralFieldsOfOneNameAreOneList) {
    RequestHead head;
    ASSERT_EQ(verdict(with_fields("X: a\r\nY: -\r\nx: b, c\r\nX:\r\nX: d"), head), 0);
    EXPECT_EQ(head.joined("x"), "a, b, c, d");
    EXPECT_EQ(head.joined("Z"), "");
    EXPECT_TRUE(head.has("X", "C"));
    EXPECT_FALSE(head.has("X", "e"));
}

TEST(RequestHead, LimitsItsSizeAndTheNumberOfItsFields) {
    std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    auto of_size = [&](std::size_t size) {
        return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
    };
    EXPECT_EQ(verdict(of_size(kMaxHeadSize)), 0);
    EXPECT_EQ(verdict(of_size(kMaxHeadSize + 1)), 431);
    EXPECT_EQ(verdict(std::string(kMaxHeadSize, 'x')), 431);
    EXPECT_EQ(verdict(std::string(kMaxHeadSize - 1, 'x')), -1);
    std::string fields;
    for (std::size_t i = 1; i < kMaxFields; ++i)
        fields += "A: b\r\n";
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"), 0);
    EXPECT_EQ(verdict("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n" + fields + "\r\n"), 431);
}

// However the bytes arrive, the end of the head is found at the same place and errors are the same.
TEST(RequestHead, ItsEndDoesNotDependOnHowTheBytesArrive) {
    const std::string good = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nGET /next";
    const std::string bad = "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n";
    for (std::size_t step = 1; step <= good.size(); ++step) {
        for (const auto& text : {good, bad}) {
            std::size_t searched = 0;
            std::optional<std::size_t> end;
            bool refused = false;
            for (std::size_t size = step; !end && !refused; size += step) {
                auto found = find_head_end(std::string_view(text).substr(0, size), searched);
                refused = !found;
                if (found) end = *found;
                searched = std::min(size, text.size());
            }
            EXPECT_EQ(refused, text == bad) << step;
            if (text == good) {
                EXPECT_EQ(end, good.find("GET /next")) << step;
            }
        }
    }
}

TEST(RequestHead, AHeadIsReadAgainIntoTheSameObject) {
    RequestHead head;
    ASSERT_EQ(verdict(with_fields("Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 3"), head), 0);
    ASSERT_EQ(verdict("GET / HTTP/1.0\r\n\r\n", head), 0);
    EXPECT_EQ(head.host, "");
    EXPECT_EQ(head.upgrade, "");
    EXPECT_EQ(head.framing.kind, Kind::kNone);
    EXPECT_TRUE(head.fields.empty());
}

}  // namespace
}  // namespace agentdb9::http
