// Where messages begin and end: versions, keep-alive, pipelining, bodies and their absence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Framing : testing::Test {
    // By default the application answers each request with what it got.
    Upstream upstream{answering([](const Message& request) { return ok(request.head + request.body); })};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);

    std::string path(const std::string& rest = "/") { return Plane::proxy(route, rest); }
    std::string post(const std::string& fields, const std::string& body) {
        return "POST " + path() + " HTTP/1.1\r\nHost: a\r\n" + kBearer + fields + "\r\n" + body;
    }
};

TEST_F(Framing, AnAnswerInChunksStaysInChunks) {
    auto served = upstream.serve(answering([](const Message&) {
        return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n");
    }));
    auto client = plane.api();
    auto answer = ask(client, plane.get(path(), kBearer));
    EXPECT_EQ(answer.body, "3;x\r\nabc\r\n0\r\n\r\n");
    EXPECT_EQ(ask(client, plane.get(path(), kBearer)).body, answer.body);
    EXPECT_EQ(upstream.accepted(), 1);
}

TEST_F(Framing, AnAnswerThatEndsByClosingIsPutInChunks) {
    auto served = upstream.serve([](Connection& connection) {
        read_message(connection, false, true);
        connection.send("HTTP/1.1 200 OK\r\n\r\nabc");
    });
    auto client = plane.api();
    auto answer = ask(client, plane.get(path(), kBearer));
    EXPECT_EQ(answer.field("Transfer-Encoding"), "chunked");
    EXPECT_THAT(answer.body, EndsWith("0\r\n\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("abc"));
    EXPECT_EQ(ask(client, plane.get(path(), kBearer)).status(), 200);
}

TEST_F(Framing, AnOldClientGetsNoChunks) {
    auto served = upstream.serve(answering([](const Message& request) {
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\n" +
               std::string(request.head.contains(" HTTP/1.1\r\n") ? "1" : "0") + "\r\n0\r\nX: y\r\n\r\n";
    }));
    auto client = plane.api();
    client.send("GET " + path() + " HTTP/1.0\r\n" + kBearer + "\r\n");
    auto text = client.read_to_end();
    EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(text, EndsWith("\r\n\r\nabc1"));
    EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Transfer-Encoding")));
}

TEST_F(Framing, AnOldClientMayAskToKeepTheConnection) {
    auto client = plane.api();
    auto request = "GET " + path() + " HTTP/1.0\r\nConnection: keep-alive\r\n" + kBearer + "\r\n";
    for (int i = 0; i < 3; ++i) {
        auto answer = ask(client, request);
        EXPECT_EQ(answer.field("Connection"), "keep-alive");
        // Without a Host of its own it gets the application's.
        EXPECT_THAT(answer.body, HasSubstr("\r\nHost: 127.0.0.1:"));
    }
    EXPECT_EQ(ask(client, "GET /api/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").field("Connection"),
              "keep-alive");
    EXPECT_EQ(ask(client, "GET /api/x HTTP/1.0\r\n\r\n").field("Connection"), "close");
    EXPECT_TRUE(client.closes());
}

TEST_F(Framing, AConnectionEndsWhenTheClientSaysSo) {
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get(path(), kBearer + "Connection: close\r\n")).field("Connection"), "close");
    EXPECT_TRUE(client.closes());
    auto other = plane.api();
    EXPECT_EQ(ask(other, plane.get("/api/x", "Connection: close\r\n")).field("Connection"), "close");
    EXPECT_TRUE(other.closes());
}

TEST_F(Framing, PipelinedRequestsAreAnsweredInTheirOrder) {
    auto client = plane.api();
    std::string all;
    for (int i = 0; i < 30; ++i) {
        auto number = std::to_string(i);
        all += i % 3 == 0   ? plane.get(path("/" + number), kBearer)
               : i % 3 == 1 ? plane.get("/api/" + number)
                            : "POST " + path("/" + number) + " HTTP/1.1\r\nHost: a\r\n" + kBearer +
                                  "Content-Length: 4\r\n\r\nbody";
    }
    client.send(all);
    for (int i = 0; i < 30; ++i) {
        auto answer = read_message(client);
        ASSERT_EQ(answer.status(), 200) << i << answer.head << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("/" + std::to_string(i) + " "));
    }
}

TEST_F(Framing, EmptyLinesBetweenRequestsAreForgivenHoweverTheyCome) {
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get("/api/1")).status(), 200);
    EXPECT_EQ(ask(client, "\r\n" + plane.get("/api/2")).status(), 200);
    client.send("\r");
    EXPECT_TRUE(client.is_silent_for(std::chrono::milliseconds(50)));
    EXPECT_EQ(ask(client, "\n" + plane.get("/api/3")).status(), 200);
    EXPECT_EQ(ask(client, "\r\n\r\n" + plane.get("/api/4")).status(), 400);
}

TEST_F(Framing, AHeadMayComeByteByByte) {
    auto client = plane.api();
    for (char c : plane.get(path("/slow"), kBearer))
        ASSERT_TRUE(client.send({&c, 1}));
    EXPECT_THAT(read_message(client).body, StartsWith("GET /slow "));
}

TEST_F(Framing, ABodyMayComeByteByByte) {
    auto client = plane.api();
    for (char c : post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"))
        ASSERT_TRUE(client.send({&c, 1}));
    EXPECT_THAT(read_message(client).body, EndsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
}

TEST_F(Framing, AFixedBodyIsSentLikeAnyOther) {
    plane.api_handler = [](http::Request) -> Task<http::Response> {
        http::Response response;
        response.fixed_body = "as long as the program";
        co_return response;
    };
    auto client = plane.api();
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(ask(client, plane.get("/api/x")).body, "as long as the program");
    auto answer = ask(client, "HEAD /api/x HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_EQ(answer.field("Content-Length"), "22");
    EXPECT_EQ(ask(client, plane.get("/api/x")).status(), 200);
}

TEST_F(Framing, HeadAnswersHaveNoBody) {
    auto served = upstream.serve(answering(
        [](const Message&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"); }));
    auto client = plane.api();
    for (int i = 0; i < 2; ++i) {
        auto answer = ask(client, "HEAD " + path() + " HTTP/1.1\r\nHost: a\r\n" + kBearer + "\r\n", true);
        EXPECT_EQ(answer.field("Content-Length"), "1000");
    }
    EXPECT_EQ(upstream.accepted(), 1);
    auto answer = ask(client, "HEAD /api/x HTTP/1.1\r\nHost: a\r\n\r\n", true);
    EXPECT_NE(answer.field("Content-Length"), "0");
    EXPECT_EQ(ask(client, "HEAD /api/workspaces/x/proxy/ HTTP/1.1\r\nHost: a\r\n\r\n", true).status(), 400);
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
}

TEST_F(Framing, StatusesWithoutABodyEndWithTheirHead) {
    std::atomic<int> status = 204;
    auto served = upstream.serve(answering([&](const Message&) {
        return "HTTP/1.1 " + std::to_string(status) + " X\r\nETag: \"e\"\r\n" +
               (status == 304 ? "Content-Length: 77\r\n" : "") + "\r\n";
    }));
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get(path(), kBearer)).status(), 204);
    status = 304;
    auto answer = ask(client, plane.get(path(), kBearer));
    EXPECT_EQ(answer.status(), 304);
    EXPECT_EQ(answer.field("Content-Length"), "77");
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
    EXPECT_EQ(upstream.accepted(), 1);
}

TEST_F(Framing, InterimAnswersPassToClientsThatKnowThem) {
    auto served = upstream.serve(answering([](const Message&) {
        return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 "
               "Processing\r\n\r\n" +
               ok("done");
    }));
    auto client = plane.api();
    client.send(plane.get(path(), kBearer));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 102 Processing\r\n\r\n");
    EXPECT_EQ(read_message(client).body, "done");
    auto old = plane.api();
    old.send("GET " + path() + " HTTP/1.0\r\n" + kBearer + "\r\n");
    EXPECT_THAT(old.read_to_end(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Framing, AClientThatExpectsContinueIsToldToGoOn) {
    auto client = plane.api();
    client.send(post("Expect: 100-continue\r\nContent-Length: 4\r\n", ""));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    auto answer = ask(client, "body");
    EXPECT_THAT(answer.body, EndsWith("\r\n\r\nbody"));
    EXPECT_THAT(answer.body, Not(HasSubstr("Expect")));
    client.send("POST /api/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_THAT(ask(client, "body").body, EndsWith("body"));
}

TEST_F(Framing, AClientThatExpectsContinueIsRefusedWithoutSendingItsBody) {
    auto client = plane.api();
    auto answer =
        ask(client,
            "POST " + path() + " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(answer.status(), 401);
    // It may send its body now or not: nobody can tell where the next request begins.
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client.closes());
}

TEST_F(Framing, TrailersPassBothWays) {
    Gate read;
    std::string seen;
    auto served = upstream.serve([&](Connection& connection) {
        seen = connection.read_until("0\r\n");
        seen += connection.read_until("\r\n\r\n");
        read.open();
        connection.send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nChecksum: "
            "out\r\nSet-Cookie: a=b\r\n\r\n");
        connection.closes();
    });
    auto client = plane.api();
    client.send(
        post("TE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n",
             "1\r\na\r\n0\r\nChecksum: in\r\nAuthorization: Bearer good\r\nCookie: agentdb9_app=x\r\n\r\n"));
    auto head = client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_until("0\r\n"), "1\r\na\r\n0\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "Checksum: out\r\n\r\n");
    ASSERT_TRUE(read.wait());
    EXPECT_THAT(seen, HasSubstr("\r\nTE: trailers\r\n"));
    EXPECT_THAT(seen, EndsWith("1\r\na\r\n0\r\nChecksum: in\r\n\r\n"));
}

TEST_F(Framing, MalformedHeadsAreRefusedAndTheConnectionClosed) {
    for (std::string text :
         {std::string("GET / HTTP/1.1\nHost: a\n\n"),
          "POST " + path() +
              " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
          std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"),
          std::string("GET http://elsewhere/ HTTP/1.1\r\nHost: a\r\n\r\n"),
          std::string("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
          "POST " + path() + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"}) {
        auto client = plane.api();
        // What follows must not be taken for a request.
        client.send(text + plane.get("/api/smuggled"));
        auto answer = read_message(client);
        EXPECT_EQ(answer.status(), 400) << text;
        EXPECT_EQ(answer.field("Connection"), "close");
        EXPECT_THAT(answer.body, HasSubstr("\"code\":\"bad_request\""));
        EXPECT_EQ(client.read_to_end(), "");
    }
    EXPECT_EQ(plane.metrics().requests_api, 0U);
    EXPECT_EQ(upstream.accepted(), 0);
    EXPECT_EQ(plane.metrics().heads_refused, 7U);
}

TEST_F(Framing, MalformedChunksAreRefusedAndTheUpstreamHearsNoEnd) {
    Gate ended;
    std::string seen;
    auto served = upstream.serve([&](Connection& connection) {
        seen = connection.read_to_end();
        ended.open();
    });
    auto client = plane.api();
    client.send(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"));
    EXPECT_TRUE(eventually([&] { return upstream.accepted() == 1; }));
    auto answer = ask(client, "3 \r\nabc\r\n0\r\n\r\n" + plane.get("/api/smuggled"));
    EXPECT_EQ(answer.status(), 400) << answer.head;
    EXPECT_EQ(client.read_to_end(), "");
    ASSERT_TRUE(ended.wait());
    EXPECT_THAT(seen, Not(EndsWith("0\r\n\r\n")));
    EXPECT_EQ(plane.metrics().requests_api, 0U);
}

TEST_F(Framing, ASmallBodyOfARefusedRequestIsReadOver) {
    auto client = plane.api();
    auto answer = ask(
        client, "POST " + path() + " HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nGET /api/x HTTP/1.1\r");
    EXPECT_EQ(answer.status(), 401);
    EXPECT_EQ(answer.field("Connection"), "(none)");
    EXPECT_EQ(ask(client, plane.get("/api/next")).status(), 200);
    EXPECT_EQ(plane.metrics().requests_api, 1U);
}

}  // namespace
}  // namespace agentdb9::test
