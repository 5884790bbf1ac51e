// What a client is told of an application's answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/relay_headers.hpp"

namespace agentdb9::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Answer {
    std::string line = "HTTP/1.1 200 OK";
    std::string fields;
    std::string method = "GET";
    Confinement confinement{"/w/8080", true, false};
    ClientFraming framing = ClientFraming::kAsIs;
    std::string connection;

    std::string relayed() const {
        http::ResponseHead head;
        auto error = http::parse_response_head(line + "\r\n" + fields + "\r\n", method, head);
        EXPECT_FALSE(error) << (error ? error->reason : "");
        return client_response_head(head, confinement, framing, connection, "id-1");
    }
};

std::string relayed(std::string_view fields) {
    Answer answer;
    answer.fields = fields;
    return answer.relayed();
}

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

TEST(ClientResponse, PassesStatusReasonAndFields) {
    Answer answer;
    answer.line = "HTTP/1.0 418 I am  a teapot";
    answer.fields = "X-One: two\r\nLocation: ../elsewhere\r\nContent-Encoding: br\r\nContent-Length: 3\r\n";
    auto head = answer.relayed();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 418 I am  a teapot\r\n"));
    EXPECT_THAT(
        head,
        HasSubstr(
            "\r\nX-One: two\r\nLocation: ../elsewhere\r\nContent-Encoding: br\r\nContent-Length: 3\r\n"));
    answer.line = "HTTP/1.1 404";
    EXPECT_THAT(answer.relayed(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST(ClientResponse, DropsHopByHopFieldsAndThoseNamedInConnection) {
    auto head = relayed(
        "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: "
        "h2\r\nProxy-Authenticate: Basic\r\n");
    for (const char* name : {"Secret", "Keep-Alive", "Upgrade", "Proxy-", "Connection"})
        EXPECT_THAT(head, Not(HasSubstr(name)));
}

TEST(ClientResponse, SaysWhatBecomesOfTheConnection) {
    Answer answer;
    answer.connection = "close";
    EXPECT_THAT(answer.relayed(), HasSubstr("\r\nConnection: close\r\n"));
}

TEST(ClientResponse, CarriesOneRequestId) {
    auto head = relayed("X-Request-Id: application\r\n");
    EXPECT_THAT(head, HasSubstr("\r\nX-Request-Id: id-1\r\n"));
    EXPECT_EQ(count(head, "X-Request-Id"), 1U);
}

TEST(ClientResponse, IsFramedForTheClient) {
    Answer answer;
    answer.fields = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(count(answer.relayed(), "Transfer-Encoding: chunked\r\n"), 1U);
    answer.framing = ClientFraming::kUntilClose;
    EXPECT_THAT(answer.relayed(), Not(HasSubstr("Transfer-Encoding")));
    answer.fields = "";
    answer.framing = ClientFraming::kChunked;
    EXPECT_THAT(answer.relayed(), HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
}

TEST(ClientResponse, ALengthIsPassedAsWeReadIt) {
    Answer answer;
    for (auto [written, passed] : {std::pair{"010", "10"}, {"0", "0"}, {"000", "0"}, {"100", "100"}}) {
        answer.fields = "content-length: " + std::string(written) + "\r\n";
        for (std::string method : {"GET", "HEAD"}) {
            answer.method = method;
            EXPECT_THAT(answer.relayed(), HasSubstr("\r\ncontent-length: " + std::string(passed) + "\r\n"))
                << written << method;
        }
    }
}

TEST(ClientResponse, LengthsStayWhereTheyDescribeWhatIsNotSent) {
    Answer answer;
    answer.method = "HEAD";
    answer.fields = "Content-Length: 12\r\n";
    EXPECT_THAT(answer.relayed(), HasSubstr("\r\nContent-Length: 12\r\n"));
    answer.method = "GET";
    answer.line = "HTTP/1.1 304 Not Modified";
    EXPECT_THAT(answer.relayed(), HasSubstr("\r\nContent-Length: 12\r\n"));
    answer.line = "HTTP/1.1 204 No Content";
    answer.fields = "Content-Length: 0\r\n";
    EXPECT_THAT(answer.relayed(), Not(HasSubstr("Content-Length")));
}

TEST(ClientResponse, NothingSpeaksForTheWholeOrigin) {
    auto head = relayed(
        "Clear-Site-Data: \"*\"\r\nStrict-Transport-Security: max-age=1\r\nAlt-Svc: h3=\":1\"\r\nNEL: "
        "{}\r\nReport-To: {}\r\n"
        "Service-Worker-Allowed: /\r\nSet-Cookie: agentdb9_app=x\r\nSet-Cookie: a=b; Domain=example\r\n");
    for (const char* name : {"Clear-Site", "Strict-", "Alt-Svc", "NEL", "Report-To", "agentdb9_", "Domain"})
        EXPECT_THAT(head, Not(HasSubstr(name)));
    EXPECT_THAT(head, HasSubstr("\r\nService-Worker-Allowed: /w/8080/\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nSet-Cookie: a=b; Path=/w/8080/\r\n"));
}

TEST(ClientResponse, OnTheApisOriginAPageGetsAnOriginOfItsOwn) {
    EXPECT_THAT(relayed("WWW-Authenticate: Basic\r\n"), Not(HasSubstr("sandbox")));
    EXPECT_THAT(relayed("WWW-Authenticate: Basic\r\n"), HasSubstr("WWW-Authenticate: Basic"));
    Answer answer;
    answer.confinement.sandbox = true;
    answer.fields =
        "Content-Type: text/html\r\nContent-Security-Policy: default-src *\r\nWWW-Authenticate: Basic\r\n";
    auto head = answer.relayed();
    // Policies add up: each is enforced (CSP level 3, section 8.1).
    EXPECT_THAT(head, HasSubstr("Content-Security-Policy: default-src *\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Security-Policy: sandbox "));
    EXPECT_THAT(head, Not(HasSubstr("allow-same-origin")));
    EXPECT_THAT(head, Not(HasSubstr("allow-top-navigation")));
    EXPECT_THAT(head, Not(HasSubstr("WWW-Authenticate")));
}

TEST(InterimResponse, TellsNothingThatLasts) {
    http::ResponseHead head;
    ASSERT_FALSE(
        http::parse_response_head("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: "
                                  "a=b\r\nStrict-Transport-Security: x\r\nContent-Length: 5\r\n"
                                  "Connection: close, X-Hop\r\nX-Hop: 1\r\nUpgrade: x\r\n\r\n",
                                  "GET", head));
    EXPECT_EQ(client_interim_head(head, "id-1"), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(InterimResponse, ASwitchNamesItsProtocol) {
    http::ResponseHead head;
    ASSERT_FALSE(http::parse_response_head(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: "
        "websocket\r\nSec-WebSocket-Accept: k\r\n"
        "Sec-WebSocket-Protocol: a\r\nSet-Cookie: a=b\r\nX-Request-Id: z\r\nKeep-Alive: 5\r\n\r\n",
        "GET", head));
    EXPECT_EQ(client_interim_head(head, "id-1"),
              "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nSec-WebSocket-Accept: "
              "k\r\nSec-WebSocket-Protocol: a\r\n"
              "Connection: Upgrade\r\nX-Request-Id: id-1\r\n\r\n");
}

}  // namespace
}  // namespace agentdb9::proxy
