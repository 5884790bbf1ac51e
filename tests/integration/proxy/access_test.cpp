// What is written down of a request, and what never is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <mutex>
#include <sstream>

#include "base/json.hpp"
#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The lines, as they are written.
class Book {
  public:
    proxy::Options options(proxy::AccessMode mode, std::uint64_t sample = 100) {
        proxy::Options options;
        options.access.mode = mode;
        options.access.sample = sample;
        options.access.write = [this](std::string_view lines) {
            const std::lock_guard lock(mutex_);
            text_ += lines;
        };
        return options;
    }
    std::string text() {
        const std::lock_guard lock(mutex_);
        return text_;
    }
    // All that there are, once there are `count`.
    std::vector<json::object> lines(std::size_t count) {
        EXPECT_TRUE(eventually([&] {
            return std::ranges::count(text(), '\n') >= static_cast<std::ptrdiff_t>(count);
        })) << text();
        std::vector<json::object> all;
        std::istringstream in(text());
        for (std::string line; std::getline(in, line);)
            all.push_back(base::parse_json(line).as_object());
        EXPECT_EQ(all.size(), count) << text();
        all.resize(count);
        return all;
    }

  private:
    std::mutex mutex_;
    std::string text_;
};

std::string text_of(const json::object& line, std::string_view name) {
    const auto* value = line.if_contains(name);
    return value == nullptr     ? "(none)"
           : value->is_string() ? std::string(value->as_string())
                                : json::serialize(*value);
}

void serve(Connection& connection) {
    while (true) {
        auto request = read_message(connection, false, true);
        if (!request.head.ends_with("\r\n\r\n")) return;
        if (request.head.contains("Upgrade: ")) {
            connection.send(
                "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
            connection.closes();
            return;
        }
        if (request.head.contains("/half")) {
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            return;
        }
        if (!connection.send(ok("0123456789"))) return;
    }
}

struct Access : testing::Test {
    Book book;
    Upstream upstream{serve};
    Plane plane{book.options(proxy::AccessMode::kAll)};
    model::Route& route = plane.add(upstream.port(), plane.user);
};

TEST_F(Access, ALineSaysWhatARelayedRequestWas) {
    auto client = plane.api();
    const auto request = "POST " + Plane::proxy(route, "/a%20b") +
                         " HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\nContent-Length: 5\r\n" + kBearer +
                         "\r\nhello";
    const auto answer = ask(client, request);
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200);
    const auto lines = book.lines(2);
    const auto& line = lines[0];
    EXPECT_EQ(text_of(line, "event"), "access");
    EXPECT_EQ(text_of(line, "requestId"), "mine-1");
    EXPECT_EQ(text_of(line, "kind"), "application");
    EXPECT_EQ(text_of(line, "method"), "POST");
    EXPECT_EQ(text_of(line, "path"), Plane::proxy(route, "/a%20b"));
    EXPECT_EQ(text_of(line, "protocol"), "HTTP/1.1");
    EXPECT_EQ(text_of(line, "status"), "200");
    EXPECT_EQ(text_of(line, "bytesIn"), std::to_string(request.size()));
    EXPECT_EQ(text_of(line, "bytesOut"), std::to_string(answer.head.size() + answer.body.size()));
    EXPECT_EQ(text_of(line, "userId"), plane.user.str());
    EXPECT_EQ(text_of(line, "workspaceId"), route.workspace.str());
    EXPECT_EQ(text_of(line, "port"), "8080");
    EXPECT_EQ(text_of(line, "address"), "127.0.0.1");
    EXPECT_TRUE(line.contains("durationMs") && line.contains("connectMs") && line.contains("firstByteMs"));
    EXPECT_FALSE(line.contains("reason") || line.contains("aborted") || line.contains("upgrade"));
    EXPECT_TRUE(base::parse_time(text_of(line, "time")));
    // The second went over the kept connection.
    EXPECT_FALSE(lines[1].contains("connectMs"));
    EXPECT_TRUE(lines[1].contains("firstByteMs"));
}

// Tickets, signed links and tokens of applications stand in queries, all else that is secret in fields.
TEST_F(Access, QueriesAndCredentialsAreNeverWrittenDown) {
    auto client = plane.apps();
    const auto cookie = "Cookie: app=secret-5; agentdb9_app=cookie-" + route.workspace.str() + "-8080\r\n";
    ask(client, plane.get(Plane::app(route, "/?agentdb9_ticket=secret-1")));
    ask(client, plane.get(Plane::app(route, "/?token=secret-2&x=/?secret-2"), cookie));
    ask(client, plane.get(Plane::app(route, "/x?agentdb9_ticket=secret-1"), kBearer));
    ask(client, plane.get(Plane::app(route, "/?secret-3"), "Authorization: Bearer secret-3\r\n"));
    ask(client, plane.get("/nowhere?secret-4", "Authorization: Basic secret-4\r\nReferer: /?secret-4\r\n"));
    auto api = plane.api();
    ask(api, plane.get("/api/x?token=secret-6", "Authorization: Bearer secret-6\r\n"));
    ask(api, "GET /?secret-7 HTTP/9.9\r\nX: secret-7\r\n\r\n");
    book.lines(7);
    const auto text = book.text();
    for (const auto* secret : {"secret", "ticket=", "token=", "cookie-", "Bearer", "Authorization", "?"})
        EXPECT_THAT(text, Not(HasSubstr(secret))) << secret;
}

TEST_F(Access, ARefusalSaysWhyAndWhomItRefused) {
    auto& foreign = plane.add(upstream.port(), plane.other);
    auto client = plane.api();
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(foreign, "/"), kBearer)).status(), 404);
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"))).status(), 401);
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"),
                                    kBearer + "Origin: http://evil.example\r\n"
                                              "Connection: Upgrade\r\nUpgrade: websocket\r\n"))
                  .status(),
              403);
    EXPECT_EQ(ask(client, "nonsense\r\n\r\n").status(), 400);
    const auto lines = book.lines(4);
    EXPECT_EQ(text_of(lines[0], "reason"), "workspace_not_found");
    EXPECT_EQ(text_of(lines[0], "userId"), plane.user.str());
    EXPECT_EQ(text_of(lines[1], "reason"), "unauthenticated");
    EXPECT_EQ(text_of(lines[1], "userId"), "(none)") << "nothing is left of the request before";
    EXPECT_EQ(text_of(lines[2], "reason"), "foreign_origin");
    EXPECT_EQ(text_of(lines[2], "kind"), "upgrade");
    EXPECT_EQ(text_of(lines[2], "userId"), plane.user.str());
    EXPECT_EQ(text_of(lines[3], "kind"), "invalid");
    EXPECT_EQ(text_of(lines[3], "path"), "(none)");
    EXPECT_EQ(text_of(lines[3], "status"), "400");
}

TEST_F(Access, ATunnelIsWrittenDownWhenItEnds) {
    auto client = plane.api();
    client.send(
        plane.get(Plane::proxy(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    EXPECT_THAT(client.read_until("hello"), StartsWith("HTTP/1.1 101 "));
    auto api = plane.api();
    EXPECT_EQ(ask(api, plane.get("/api/x")).status(), 200);
    book.lines(1);
    client.close();
    const auto lines = book.lines(2);
    EXPECT_EQ(text_of(lines[0], "kind"), "api");
    EXPECT_EQ(text_of(lines[1], "kind"), "upgrade");
    EXPECT_EQ(text_of(lines[1], "upgrade"), "websocket");
    EXPECT_EQ(text_of(lines[1], "status"), "101");
}

TEST_F(Access, AnAnswerThatBreaksOffSaysSo) {
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/half"), kBearer));
    client.read_to_end();
    const auto lines = book.lines(1);
    EXPECT_EQ(text_of(lines[0], "status"), "200");
    EXPECT_EQ(text_of(lines[0], "aborted"), "true");
}

TEST_F(Access, AnApiAnswerNamesItsCallerAndNobodyElseHearsOfIt) {
    plane.api_handler = [this](http::Request) -> Task<http::Response> {
        http::Response response;
        response.caller.user = plane.user.str();
        co_return response;
    };
    auto client = plane.api();
    EXPECT_THAT(ask(client, plane.get("/api/x")).head, Not(HasSubstr(plane.user.str())));
    EXPECT_EQ(text_of(book.lines(1)[0], "userId"), plane.user.str());
}

TEST(AccessBehindAProxy, NamesTheClient) {
    Book book;
    auto options = book.options(proxy::AccessMode::kAll);
    options.trusted_proxies = {"127.0.0.1"};
    Plane plane(options);
    auto client = plane.api();
    ask(client, plane.get("/api/x", "X-Forwarded-For: 203.0.113.9\r\n"));
    EXPECT_EQ(text_of(book.lines(1)[0], "address"), "203.0.113.9");
}

TEST(AccessSampled, IsOneInSoManyAndEveryFailure) {
    Book book;
    Plane plane(book.options(proxy::AccessMode::kSampled, 10));
    auto& stopped = plane.add(1, plane.user);
    stopped.state = model::RouteState::kStopped;
    plane.publish();
    auto client = plane.api();
    for (int i = 0; i < 30; ++i)
        EXPECT_EQ(ask(client, plane.get("/api/x")).status(), 200);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ask(client, plane.get(Plane::proxy(stopped, "/"), kBearer)).status(), 503);
    std::size_t failures = 0;
    for (const auto& line : book.lines(8))
        failures += text_of(line, "status") == "503" ? 1 : 0;
    EXPECT_EQ(failures, 5U);
}

// The log goes on when the test ends, however that is.
struct OpenAtEnd {
    Gate& gate;
    ~OpenAtEnd() { gate.open(); }
};

TEST(AccessLogThatIsStuck, DropsLinesAndHoldsNobodyUp) {
    Gate gate;
    proxy::Options options;
    options.access.mode = proxy::AccessMode::kAll;
    options.access.queue = 2;
    options.access.write = [&](std::string_view) { gate.wait(); };
    Plane plane(options);
    const OpenAtEnd at_end{gate};
    auto client = plane.api();
    for (int i = 0; i < 50; ++i)
        ASSERT_EQ(ask(client, plane.get("/api/x")).status(), 200);
    EXPECT_TRUE(
        eventually([&] { return plane.metrics().access_lines + plane.metrics().access_dropped == 50; }));
    EXPECT_GE(plane.metrics().access_dropped, 40U);
}

TEST(AccessLogThatIsStuck, KeepsAsMuchAsItsQueueHasRoomFor) {
    constexpr std::size_t kRecords = 64;
    constexpr std::size_t kMore = 300;
    constexpr std::size_t kPath = 30'000;
    Gate writes;
    Gate gate;
    proxy::Options options;
    options.access.mode = proxy::AccessMode::kAll;
    options.access.queue = kRecords;
    options.access.write = [&](std::string_view) {
        writes.open();
        gate.wait();
    };
    Plane plane(options);
    const OpenAtEnd at_end{gate};
    auto client = plane.api();
    const auto large = plane.get("/api/" + std::string(kPath, 'x'));
    // What else is kept of a large head is so after the first.
    ask(client, large);
    ASSERT_TRUE(writes.wait());
    const auto empty = ::mallinfo2().uordblks;
    for (std::size_t i = 0; i < kRecords; ++i)
        ASSERT_EQ(ask(client, large).status(), 200);
    const auto full = ::mallinfo2().uordblks;
    EXPECT_LT(full, empty + kRecords * kPath / 4) << "of a text no more than a line shows";
    for (std::size_t i = 0; i < kMore; ++i)
        ASSERT_EQ(ask(client, large).status(), 200);
    EXPECT_TRUE(eventually([&] { return plane.metrics().access_dropped == kMore; }));
    EXPECT_EQ(plane.metrics().access_lines, kRecords + 1);
    EXPECT_LT(::mallinfo2().uordblks, full + kMore * kPath / 50);
}

TEST(Counters, SayWhatBecameOfRequests) {
    Upstream upstream(serve);
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    const auto answers = [&](proxy::RequestKind kind, int status) -> std::uint64_t {
        return plane.metrics().requests[static_cast<std::size_t>(kind)][proxy::status_class(status)];
    };
    auto client = plane.api();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"), kBearer)).status(), 200);
    EXPECT_EQ(ask(client, plane.get(Plane::proxy(route, "/"))).status(), 401);
    EXPECT_EQ(ask(client, plane.get("/api/x")).status(), 200);
    auto socket = plane.api();
    socket.send(
        plane.get(Plane::proxy(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    socket.read_until("hello");
    EXPECT_EQ(plane.metrics().tunnels_open, 1);
    socket.close();
    EXPECT_EQ(ask(client, "nonsense\r\n\r\n").status(), 400);
    client.close();
    ASSERT_TRUE(eventually([&] { return plane.metrics().connections_open == 0; }));
    using Kind = proxy::RequestKind;
    EXPECT_EQ(answers(Kind::kApplication, 200), 3U);
    EXPECT_EQ(answers(Kind::kApplication, 401), 1U);
    EXPECT_EQ(answers(Kind::kApi, 200), 1U);
    EXPECT_EQ(answers(Kind::kUpgrade, 101), 1U);
    EXPECT_EQ(answers(Kind::kInvalid, 400), 1U);
    const auto metrics = plane.metrics();
    EXPECT_EQ(metrics.tunnels_open, 0);
    EXPECT_EQ(metrics.upstream_connect_time.count(), metrics.upstream_connects);
    EXPECT_EQ(metrics.upstream_first_byte_time.count(), 4U);
    EXPECT_EQ(metrics.refusals[proxy::refusal_index("unauthenticated")], 1U);
    EXPECT_EQ(metrics.refusals[proxy::refusal_index("bad_request")], 1U);
    EXPECT_GT(metrics.bytes_from_clients, 0U);
    EXPECT_GT(metrics.bytes_to_clients, 0U);
}

// A socket that stays open for a day must not be missing from the numbers until it ends.
TEST(Counters, BytesOfATunnelAreCountedWhileItIsOpen) {
    Upstream upstream(serve);
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto socket = plane.api();
    socket.send(
        plane.get(Plane::proxy(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    socket.read_until("hello");
    const std::string bytes(10'000, 'x');
    EXPECT_TRUE(socket.send(bytes));
    EXPECT_TRUE(eventually([&] { return plane.metrics().bytes_from_clients >= bytes.size(); }));
    EXPECT_EQ(plane.metrics().tunnels_open, 1);
}

}  // namespace
}  // namespace agentdb9::test
