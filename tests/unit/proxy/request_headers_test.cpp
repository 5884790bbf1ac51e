// What an application is told of a request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/relay_headers.hpp"

namespace agentdb9::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Request {
    std::string line = "GET /as/written HTTP/1.1";
    std::string fields;
    std::string target = "/there";
    Forwarding forwarding{"192.0.2.7", false, "http", "/p/8080", "10.0.0.2:8080", false, {}, "id-1"};

    std::string relayed() const {
        http::RequestHead head;
        auto error = http::parse_request_head(line + "\r\nHost: a.example\r\n" + fields + "\r\n", head);
        EXPECT_FALSE(error) << (error ? error->reason : "");
        return upstream_request_head(head, target, forwarding);
    }
};

std::string relayed(std::string_view fields) {
    Request request;
    request.fields = fields;
    return request.relayed();
}

TEST(UpstreamRequest, HasItsOwnTargetAndTheClientsHost) {
    auto head = relayed("X-One: two\r\n");
    EXPECT_THAT(head, StartsWith("GET /there HTTP/1.1\r\nHost: a.example\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-One: two\r\n"));
    EXPECT_THAT(head, EndsWith("\r\n\r\n"));
}

TEST(UpstreamRequest, WithoutAHostItGetsTheUpstreams) {
    http::RequestHead head;
    ASSERT_FALSE(http::parse_request_head("GET / HTTP/1.0\r\n\r\n", head));
    EXPECT_THAT(upstream_request_head(head, "/", Request().forwarding),
                HasSubstr("\r\nHost: 10.0.0.2:8080\r\n"));
}

TEST(UpstreamRequest, DropsHopByHopFieldsAndThoseNamedInConnection) {
    auto head = relayed(
        "Connection: X-Secret, close, x-other\r\nX-Secret: 1\r\nX-OTHER: 2\r\nX-Kept: 3\r\nKeep-Alive: 4\r\n"
        "Proxy-Connection: 5\r\nProxy-Authorization: 6\r\nProxy-Authenticate: 7\r\nTE: gzip\r\nUpgrade: "
        "h2c\r\n"
        "HTTP2-Settings: 8\r\nExpect: 100-continue\r\n");
    EXPECT_THAT(head, HasSubstr("X-Kept: 3\r\n"));
    for (const char* name :
         {"Secret", "OTHER", "Keep-Alive", "Proxy-", "TE:", "Upgrade", "HTTP2", "Expect", "Connection"})
        EXPECT_THAT(head, Not(HasSubstr(name)));
}

TEST(UpstreamRequest, DropsTheLastOfAsManyFieldsAsConnectionMayName) {
    std::string list;
    std::string fields;
    for (std::size_t i = 1; i <= http::kMaxConnectionNames; ++i) {
        list += (i == 1 ? "" : i % 2 == 0 ? "\r\nConnection: " : ", ") + ("X-" + std::to_string(i));
        fields += "x-" + std::to_string(i) + ": secret\r\n";
    }
    auto head = relayed("Connection: " + list + "\r\n" + fields + "X-Kept: 1\r\n");
    EXPECT_THAT(head, Not(HasSubstr("secret")));
    EXPECT_THAT(head, HasSubstr("X-Kept: 1\r\n"));
}

TEST(UpstreamRequest, ConnectionCannotTakeAwayWhatFramesOrRoutesTheMessage) {
    Request request;
    request.line = "POST / HTTP/1.1";
    request.fields =
        "Connection: Host, Content-Length, Cookie, Content-Type\r\nContent-Length: 3\r\nContent-Type: "
        "a/b\r\nCookie: c=d\r\n";
    auto head = request.relayed();
    EXPECT_THAT(head, HasSubstr("Host: a.example\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Length: 3\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Type: a/b\r\n"));
    EXPECT_THAT(head, HasSubstr("Cookie: c=d\r\n"));
}

TEST(UpstreamRequest, ForwardingFieldsOfStrangersAreReplaced) {
    auto head = relayed(
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: "
        "https\r\nX-Forwarded-Prefix: /evil\r\n"
        "X-Forwarded-Port: 666\r\nX-Forwarded-A-Name-That-Is-Quite-Long: evil\r\nForwarded: "
        "host=evil\r\nX-Real-IP: 6.6.6.6\r\n"
        "X_Forwarded_For: 6.6.6.6\r\nX_Forwarded_A_Name_That_Is_Quite_Long: evil\r\nx_real_ip: "
        "6.6.6.6\r\nx-forwarded-for: 6.6.6.6\r\n");
    EXPECT_THAT(head, Not(HasSubstr("evil")));
    EXPECT_THAT(head, Not(HasSubstr("6.6.6.6")));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-For: 192.0.2.7\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-Host: a.example\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-Proto: http\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-Prefix: /p/8080\r\n"));
}

TEST(UpstreamRequest, ForwardingFieldsOfATrustedProxyAreAddedTo) {
    Request request;
    request.forwarding.trusted_peer = true;
    request.forwarding.scheme = "https";
    request.fields =
        "X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 203.0.113.2\r\nX-Forwarded-Host: outer.example\r\n"
        "X-Forwarded-Prefix: /outer\r\nForwarded: host=evil\r\n";
    auto head = request.relayed();
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-For: 203.0.113.1, 203.0.113.2, 192.0.2.7\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-Host: outer.example\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-Prefix: /outer/p/8080\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nX-Forwarded-Proto: https\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("evil")));
}

TEST(UpstreamRequest, CarriesTheRequestIdOfOurLogs) {
    auto head = relayed("X-Request-Id: from the \"client\"\r\n");
    EXPECT_THAT(head, HasSubstr("\r\nX-Request-Id: id-1\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("client")));
}

TEST(UpstreamRequest, OurCookiesAreTakenOutOfTheApplications) {
    EXPECT_THAT(relayed("Cookie: a=1; agentdb9_app=secret; b=2\r\n"), HasSubstr("\r\nCookie: a=1; b=2\r\n"));
    EXPECT_THAT(relayed("Cookie: agentdb9_app=secret;agentdb9_x=secret ;a=1\r\n"),
                HasSubstr("\r\nCookie: a=1\r\n"));
    EXPECT_THAT(relayed("Cookie: agentdb9_app=secret\r\n"), Not(HasSubstr("Cookie")));
    EXPECT_THAT(relayed("Cookie:  agentdb9_app=secret\r\ncookie: agentdb9_app=secret; c=3\r\n"),
                HasSubstr("\r\ncookie: c=3\r\n"));
    EXPECT_THAT(relayed("Cookie: x=\"agentdb9_app=1\"; not_agentdb9_app=2\r\n"),
                HasSubstr("Cookie: x=\"agentdb9_app=1\"; not_agentdb9_app=2\r\n"));
    for (const char* cookies : {";;agentdb9_app=secret", " agentdb9_app=secret", "\tagentdb9_app=secret;",
                                "a;agentdb9_app=secret;b", "x=\"a; agentdb9_app=secret; b\"", "agentdb9_app",
                                "$Version=1; agentdb9_app=secret"})
        EXPECT_THAT(relayed("Cookie: " + std::string(cookies) + "\r\n"), Not(HasSubstr("secret"))) << cookies;
}

TEST(UpstreamRequest, AuthorizationPassesOnlyWhenAllowed) {
    EXPECT_THAT(relayed("Authorization: Bearer secret\r\nauthorization: Basic secret\r\n"),
                Not(HasSubstr("secret")));
    Request request;
    request.forwarding.pass_authorization = true;
    request.fields = "Authorization: Basic own\r\n";
    EXPECT_THAT(request.relayed(), HasSubstr("\r\nAuthorization: Basic own\r\n"));
}

TEST(UpstreamRequest, ARefererThatHoldsATicketIsDropped) {
    EXPECT_THAT(relayed("Referer: http://a/?agentdb9_ticket=secret\r\n"), Not(HasSubstr("Referer")));
    EXPECT_THAT(relayed("Referer: http://a/b\r\n"), HasSubstr("Referer: http://a/b\r\n"));
}

TEST(UpstreamRequest, IsFramedOnceAndAsWeReadIt) {
    Request request;
    request.line = "POST / HTTP/1.1";
    request.fields = "Content-Length: 010\r\n";
    auto head = request.relayed();
    EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 10\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Transfer-Encoding")));
    request.fields = "Content-Length: 0\r\n";
    EXPECT_THAT(request.relayed(), HasSubstr("\r\nContent-Length: 0\r\n"));
    request.fields = "Transfer-Encoding: Chunked\r\n";
    head = request.relayed();
    EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
}

TEST(UpstreamRequest, AsksForAnUpgradeOnlyWhenToldTo) {
    Request request;
    request.fields =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Protocol: a, "
        "b\r\nOrigin: http://a.example\r\n";
    EXPECT_THAT(request.relayed(), Not(HasSubstr("Upgrade")));
    request.forwarding.upgrade = "websocket";
    auto head = request.relayed();
    EXPECT_THAT(head, HasSubstr("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Key: k\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nSec-WebSocket-Protocol: a, b\r\n"));
    EXPECT_THAT(head, HasSubstr("\r\nOrigin: http://a.example\r\n"));
}

TEST(UpstreamRequest, SaysThatTrailersAreWelcomeWhereTheyAre) {
    auto head = relayed("TE: gzip, trailers\r\nConnection: TE\r\n");
    EXPECT_THAT(head, HasSubstr("\r\nTE: trailers\r\nConnection: TE\r\n"));
    EXPECT_THAT(relayed("TE: gzip\r\n"), Not(HasSubstr("TE:")));
}

TEST(Trailers, NothingThatFramesRoutesOrAuthenticatesPasses) {
    EXPECT_EQ(passable_trailers("Checksum: abc\r\nX-Other: d\r\n"), "Checksum: abc\r\nX-Other: d\r\n");
    for (const char* line : {"Authorization: Bearer secret",
                             "authorization: x",
                             "Cookie: a",
                             "Set-Cookie: a",
                             "Host: b",
                             "Content-Length: 3",
                             "Transfer-Encoding: chunked",
                             "Connection: close",
                             "X-Forwarded-For: 1",
                             "x_forwarded_for: 1",
                             "Proxy-Authorization: x",
                             "Trailer: x",
                             "Content-Type: x",
                             "TE: x",
                             "Upgrade: x",
                             "no colon",
                             " Folded: x",
                             "Na me: x",
                             ": x",
                             "X: a\x01",
                             "X-Request-Id: y"})
        EXPECT_EQ(passable_trailers(std::string(line) + "\r\nKept: 1\r\n"), "Kept: 1\r\n") << line;
    EXPECT_EQ(passable_trailers(""), "");
    EXPECT_EQ(passable_trailers("A: b\r\n Authorization: secret\r\n"), "A: b\r\n");
}

}  // namespace
}  // namespace agentdb9::proxy
