// The end of the data plane, and the operator's socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

bool refuses(std::uint16_t port) {
    try {
        Connection::to(port);
        return false;
    } catch (const std::runtime_error&) {
        return true;
    }
}

TEST(Drain, LetsRequestsEndAndRefusesNewOnes) {
    Gate asked;
    Gate may_answer;
    Upstream upstream([&](Connection& connection) {
        read_message(connection, false, true);
        asked.open();
        may_answer.wait();
        connection.send(ok("last words"));
        connection.closes();
    });
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto idle = plane.api();
    EXPECT_EQ(ask(idle, plane.get("/api/x")).status(), 200);
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(asked.wait());
    std::thread draining([&] { plane.on_control(plane.plane->drain(20s)); });
    EXPECT_TRUE(idle.closes());
    EXPECT_TRUE(eventually([&] { return refuses(plane.plane->api_port()); }));
    may_answer.open();
    auto answer = read_message(client);
    EXPECT_EQ(answer.body, "last words");
    EXPECT_EQ(answer.field("Connection"), "close");
    draining.join();
    EXPECT_EQ(plane.metrics().connections_open, 0);
}

TEST(Drain, ClosesATunnelAndLetsADownloadArriveWhole) {
    Gate may_end;
    Upstream upstream([&](Connection& connection) {
        auto request = read_message(connection, true, true);
        if (request.head.contains("Upgrade: ")) {
            connection.send("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            connection.closes();
            return;
        }
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + std::string(1'000'000, 'a'));
        may_end.wait();
        connection.send(std::string(1'000'000, 'b'));
        connection.closes();
    });
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto socket = plane.api();
    socket.send(
        plane.get(Plane::proxy(route, "/"), kBearer + "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    socket.read_until("\r\n\r\n");
    auto download = plane.api();
    download.send(plane.get(Plane::proxy(route, "/"), kBearer));
    EXPECT_EQ(download.read_until("\r\n\r\n").substr(0, 12), "HTTP/1.1 200");
    std::thread draining([&] { plane.on_control(plane.plane->drain(20s)); });
    // A close frame with 1001 (RFC 6455 section 7.4.1).
    EXPECT_THAT(socket.read_exactly(4).substr(2), testing::StrEq("\x03\xe9"));
    socket.close();
    may_end.open();
    EXPECT_EQ(download.read_exactly(2'000'000), std::string(1'000'000, 'a') + std::string(1'000'000, 'b'));
    EXPECT_TRUE(download.closes());
    draining.join();
    EXPECT_EQ(plane.metrics().connections_open, 0);
}

TEST(Drain, CutsWhatDoesNotEndInTime) {
    Gate asked;
    Upstream upstream([&](Connection& connection) {
        read_message(connection, false, true);
        asked.open();
        connection.closes();
    });
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(asked.wait());
    plane.on_control(plane.plane->drain(50ms));
    EXPECT_TRUE(client.closes());
    EXPECT_EQ(plane.metrics().connections_open, 0);
    EXPECT_TRUE(eventually([&] { return upstream.open() == 0; }));
}

Task<> drain_at_once(proxy::DataPlane& plane, Gate& begins) {
    begins.open();
    co_await plane.drain(0ms);
}

// Whoever is asked a second time to end could not hear it otherwise.
TEST(Drain, LeavesItsThreadFreeWhileAWorkerHasNotEnded) {
    Gate stuck;
    Gate may_end;
    Gate begins;
    Gate heard;
    Plane plane;
    plane.streams_body = [&](std::string_view, std::string_view) {
        stuck.open();
        EXPECT_TRUE(may_end.wait());
        return false;
    };
    auto client = plane.api();
    client.send(plane.get("/api/x"));
    ASSERT_TRUE(stuck.wait());
    std::thread draining([&] { plane.on_control(drain_at_once(*plane.plane, begins)); });
    EXPECT_TRUE(begins.wait());
    std::thread other([&] { plane.on_control([&] { heard.open(); }); });
    EXPECT_TRUE(eventually([&] { return heard.is_open(); })) << "the workers' threads are waited for";
    may_end.open();
    other.join();
    draining.join();
    EXPECT_TRUE(client.closes());
}

TEST(Drain, EndsStreamsOfTheApi) {
    Plane plane;
    plane.api_handler = [](http::Request) -> Task<http::Response> {
        http::Response response;
        response.next_piece = [first = true]() mutable -> Task<std::optional<std::string>> {
            if (std::exchange(first, false)) co_return "first";
            asio::steady_timer never(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max());
            co_await never.async_wait(asio::use_awaitable);
            co_return std::nullopt;
        };
        co_return response;
    };
    auto client = plane.api();
    client.send(plane.get("/api/events"));
    client.read_until("first\r\n");
    plane.on_control(plane.plane->drain(20s));
    EXPECT_TRUE(client.closes());
}

TEST(Drain, RequestsThatAreHeldHearThatTheyMayTryAgain) {
    Plane plane;
    auto& route = plane.add(1, plane.user);
    route.state = model::RouteState::kHeld;
    plane.publish();
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(eventually([&] { return plane.authentications == 1; }));
    std::thread draining([&] { plane.on_control(plane.plane->drain(20s)); });
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 503);
    EXPECT_EQ(answer.field("Retry-After"), "2");
    draining.join();
}

TEST(Stop, WorksInTheMiddleOfEverything) {
    Upstream upstream([](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.closes();
    });
    for (int i = 0; i < 10; ++i) {
        std::vector<Connection> clients;
        Plane plane;
        plane.before_authentication = []() -> Task<> {
            asio::steady_timer never(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max());
            co_await never.async_wait(asio::use_awaitable);
        };
        auto& route = plane.add(upstream.port(), plane.user);
        for (const auto& bytes :
             {std::string(), std::string("GET /"), plane.get(Plane::proxy(route, "/"), kBearer),
              plane.get("/api/x"),
              std::string("POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx")}) {
            clients.push_back(plane.api());
            clients.back().send(bytes);
        }
    }
}

class OperatorSocket : public testing::Test {
  protected:
    OperatorSocket() : folder_(testing::TempDir() + "agentdb9-XXXXXX") {
        if (!::mkdtemp(folder_.data())) throw std::runtime_error("mkdtemp");
        options_.operator_socket = folder_ + "/operator.sock";
    }
    ~OperatorSocket() override { std::filesystem::remove_all(folder_); }
    const std::string& path() const { return *options_.operator_socket; }
    std::string folder_;
    proxy::Options options_;
};

TEST_F(OperatorSocket, IsForItsOwnerOnly) {
    {
        Plane plane(options_);
        struct stat status{};
        ASSERT_EQ(::stat(path().c_str(), &status), 0);
        EXPECT_TRUE(S_ISSOCK(status.st_mode));
        EXPECT_EQ(status.st_mode & 0777U, 0600U);
        auto client = Connection::to_unix(path());
        EXPECT_EQ(ask(client, plane.get("/api/users")).body, "operator /api/users");
        // Applications are not behind it.
        EXPECT_EQ(ask(client, plane.get("/vscode/")).body, "operator /vscode/");
    }
    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(OperatorSocket, ReplacesOneThatNobodyServes) {
    {
        // Left behind by a process that was killed.
        int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ::close(fd);
    }
    Plane plane(options_);
    auto client = Connection::to_unix(path());
    EXPECT_EQ(ask(client, plane.get("/x")).status(), 200);
}

TEST_F(OperatorSocket, TouchesNothingThatIsNotItsOwn) {
    Plane plane(options_);
    EXPECT_THROW(Plane second(options_), base::Error) << "another server answers there";
    auto client = Connection::to_unix(path());
    EXPECT_EQ(ask(client, plane.get("/x")).status(), 200);
    options_.operator_socket = folder_ + "/file";
    std::ofstream(path()) << "precious";
    EXPECT_THROW(Plane third(options_), base::Error);
    EXPECT_TRUE(std::filesystem::is_regular_file(path()));
}

TEST(Listen, APortThatIsTakenIsRefused) {
    Plane plane;
    proxy::Options options;
    options.api = {"127.0.0.1", plane.plane->api_port()};
    options.applications = {"127.0.0.1", 0};
    EXPECT_THROW(proxy::DataPlane(options, {}), base::Error);
    options.api = {"not an address", 0};
    EXPECT_THROW(proxy::DataPlane(options, {}), base::Error);
}

}  // namespace
}  // namespace agentdb9::test
