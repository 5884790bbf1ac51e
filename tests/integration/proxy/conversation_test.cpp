// A socket whose other end is the control plane, and requests that end with their client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/websocket_frames.hpp"
#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const std::string kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::string close_frame(int code, const std::string& reason) {
    return std::string(1, static_cast<char>(0x88)) + static_cast<char>(reason.size() + 2) +
           static_cast<char>(code >> 8) + static_cast<char>(code & 0xff) + reason;
}

// What the control plane has of one.
struct Talk {
    explicit Talk(const asio::any_io_executor& executor) : changed(executor) {}
    base::Signal changed;
    std::deque<std::string> to_tell;
    std::string heard;
    bool over = false;
    bool hears = true;  // takes what is said
};

class Conversation : public testing::Test {
  protected:
    Conversation() {
        plane.api_handler = [this](http::Request request) -> Task<http::Response> {
            targets.push_back(request.target);
            auto talk = std::make_shared<Talk>(co_await asio::this_coro::executor);
            last = talk;
            http::Response response;
            response.status = 101;
            response.caller = caller;
            response.headers.set("Upgrade", "websocket");
            response.next_piece = [talk]() -> Task<std::optional<std::string>> {
                while (talk->to_tell.empty() && !talk->over)
                    co_await talk->changed.wait();
                if (talk->to_tell.empty()) co_return std::nullopt;
                auto piece = std::move(talk->to_tell.front());
                talk->to_tell.pop_front();
                co_return piece;
            };
            response.take_piece = [talk](std::string piece) -> Task<bool> {
                while (!talk->hears)
                    co_await talk->changed.wait();
                talk->heard += piece;
                // An echo.
                talk->to_tell.push_back(std::move(piece));
                talk->changed.notify_all();
                co_return true;
            };
            co_return response;
        };
    }
    Connection open(const std::string& fields = {}) {
        auto client = plane.api();
        client.send(plane.get("/api/talk", kUpgrade + fields));
        head = client.read_until("\r\n\r\n");
        return client;
    }
    void with_last(const std::function<void(Talk&)>& act) {
        plane.on_control([&] {
            if (const auto talk = last.lock()) act(*talk);
        });
    }

    std::weak_ptr<Talk> last;
    std::deque<std::string> targets;
    http::Caller caller;
    std::string head;
    Plane plane;
};

TEST_F(Conversation, CarriesBytesBothWaysAsTheyAre) {
    auto client = open();
    EXPECT_THAT(head, HasSubstr("HTTP/1.1 101 "));
    EXPECT_THAT(head, HasSubstr("Connection: Upgrade\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
    const std::string bytes("\0\xff\r\n\r\nGET / HTTP/1.1\r\n", 22);
    client.send(bytes);
    EXPECT_EQ(client.read_exactly(bytes.size()), bytes);
    std::string large(3 << 20, '\0');
    for (std::size_t i = 0; i < large.size(); ++i)
        large[i] = static_cast<char>(i * 7 + i / 251);
    std::thread sender([&] { client.send(large); });
    EXPECT_EQ(client.read_exactly(large.size()), large);
    sender.join();
    with_last([](Talk& talk) {
        talk.to_tell.emplace_back("last");
        talk.over = true;
        talk.changed.notify_all();
    });
    EXPECT_EQ(client.read_to_end(), "last");
}

TEST_F(Conversation, WhatFollowsTheHandshakeAtOnceIsHeard) {
    auto client = plane.api();
    client.send(plane.get("/api/talk", kUpgrade) + "early");
    client.read_until("\r\n\r\n");
    EXPECT_EQ(client.read_exactly(5), "early");
}

TEST_F(Conversation, WhatIsNotTakenIsNotRead) {
    auto client = open();
    with_last([](Talk& talk) { talk.hears = false; });
    const std::string piece(64 << 10, 'x');
    std::atomic<std::size_t> sent = 0;
    std::thread sender([&] {
        while (sent < (std::size_t{64} << 20) && client.send(piece))
            sent += piece.size();
    });
    EXPECT_TRUE(eventually([&, before = std::size_t{0}]() mutable {
        const auto now = sent.load();
        std::this_thread::sleep_for(300ms);
        return now > 0 && std::exchange(before, now) == now;
    }));
    EXPECT_LT(sent, std::size_t{32} << 20) << "the kernel's buffers, and no more";
    client.shutdown_send();
    client.close();
    sender.join();
}

TEST_F(Conversation, EndsWithItsClient) {
    auto client = open();
    EXPECT_FALSE(last.expired());
    client.close();
    EXPECT_TRUE(eventually([&] { return last.expired() && plane.metrics().connections_open == 0; }));
}

TEST_F(Conversation, IsClosedWithThePermission) {
    caller = {.user = plane.user.str(), .session = plane.session.str(), .api_token = {}};
    auto client = open();
    plane.revoke({.user = {}, .session = base::SessionId::generate(), .api_token = {}, .except_session = {}});
    client.send("x");
    EXPECT_EQ(client.read_exactly(1), "x");
    plane.revoke({.user = {}, .session = plane.session, .api_token = {}, .except_session = {}});
    EXPECT_EQ(client.read_to_end(), close_frame(1008, "signed out"));
    client.close();
    EXPECT_TRUE(eventually([&] { return last.expired(); }));
}

TEST_F(Conversation, IsClosedAtTheEndThatTheTokenHas) {
    caller = {
        .user = plane.user.str(),
        .session = {},
        .api_token = {},
        .ends_at = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()) + 500ms};
    auto client = open();
    EXPECT_EQ(client.read_to_end(), close_frame(1008, "signed out"));
}

TEST_F(Conversation, OneThatTakesNothingIsCutAllTheSame) {
    caller = {.user = plane.user.str(), .session = plane.session.str(), .api_token = {}};
    auto client = open();
    client.set_receive_buffer(4096);
    with_last([](Talk& talk) {
        for (int i = 0; i < 600; ++i)
            talk.to_tell.emplace_back(64 << 10, 'x');
        talk.changed.notify_all();
    });
    // Until the way is full.
    EXPECT_TRUE(eventually([&, before = std::uint64_t{0}]() mutable {
        const auto now = plane.metrics().bytes_to_clients;
        std::this_thread::sleep_for(1100ms);
        return now > 0 && std::exchange(before, now) == now;
    }));
    plane.revoke({.user = {}, .session = plane.session, .api_token = {}, .except_session = {}});
    EXPECT_TRUE(eventually([&] { return last.expired(); }));
}

TEST_F(Conversation, IsClosedWhenTheServerEnds) {
    auto client = open();
    std::thread draining([&] { plane.on_control(plane.plane->drain(5s)); });
    EXPECT_EQ(client.read_to_end(), close_frame(1001, "the server is going away"));
    client.close();
    draining.join();
}

TEST_F(Conversation, APageOfAnotherOriginOpensNone) {
    open("Origin: https://evil.example\r\n");
    EXPECT_THAT(head, HasSubstr("HTTP/1.1 403 "));
    EXPECT_TRUE(targets.empty());
    auto client = plane.api();
    client.send("GET /api/talk HTTP/1.1\r\nHost: here.test\r\nOrigin: http://here.test\r\n" + kUpgrade +
                "\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("HTTP/1.1 101 "));
}

TEST_F(Conversation, NothingIsUpgradedInAnOldVersion) {
    std::optional<bool> had_upgrade;
    plane.api_handler = [&](http::Request request) -> Task<http::Response> {
        had_upgrade = request.headers.get("Upgrade").has_value();
        co_return http::Response{};
    };
    auto client = plane.api();
    client.send("GET /api/talk HTTP/1.0\r\n" + kUpgrade + "\r\n");
    client.read_to_end();
    EXPECT_EQ(had_upgrade, false);
}

// Its coroutine ends, and with it what it holds.
TEST(AttendedRequest, IsGivenUpWhenItsClientGoes) {
    // What still works when the plane ends looks at them.
    std::atomic<int> begun = 0;
    std::atomic<int> working = 0;
    Plane plane;
    plane.ends_with_client = [](std::string_view method, std::string_view path) {
        return method == "POST" && path == "/api/attended";
    };
    plane.api_handler = [&](http::Request) -> Task<http::Response> {
        const std::shared_ptr<int> held(new int(0), [&](const int* each) {
            delete each;
            --working;
        });
        ++working;
        ++begun;
        asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::use_awaitable);
        co_return http::Response{};
    };
    const auto ask_for = [&](const std::string& path) {
        auto client = plane.api();
        client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
        return client;
    };
    auto other = ask_for("/api/other");
    auto one = ask_for("/api/attended");
    ASSERT_TRUE(eventually([&] { return begun == 2; }));
    other.close();
    one.close();
    EXPECT_TRUE(eventually([&] { return working == 1; }));
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(working, 1) << "another's work is no business of its client's";
}

// The end of a token after an answer that came piece by piece: nothing of that is left to be cut.
TEST(ApiStreamOver, TheTokensEndHarmsNobody) {
    Plane plane;
    const auto ends_at =
        std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()) + 300ms;
    bool first_time = true;
    plane.api_handler = [&](http::Request) -> Task<http::Response> {
        http::Response response;
        if (std::exchange(first_time, false))
            response.caller = {.user = plane.user.str(), .session = {}, .api_token = {}, .ends_at = ends_at};
        response.next_piece = [first = true]() mutable -> Task<std::optional<std::string>> {
            if (std::exchange(first, false)) co_return "first";
            co_return std::nullopt;
        };
        co_return response;
    };
    auto client = plane.api();
    client.send(plane.get("/api/download"));
    client.read_until("0\r\n\r\n");
    // A tick and more after the end.
    EXPECT_TRUE(client.is_silent_for(2500ms));
    client.send(plane.get("/api/download"));
    EXPECT_THAT(client.read_until("0\r\n\r\n"), HasSubstr("first"));
}

}  // namespace
}  // namespace agentdb9::test
