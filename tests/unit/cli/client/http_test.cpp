#include "cli/client/http.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>

#include "base/descriptor.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Descriptor;

// Answers each request on each connection, one after the other, with ten bytes.
class Answering {
  public:
    Answering() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listening_.get(), raw, size), 0);
        EXPECT_EQ(::listen(listening_.get(), 8), 0);
        EXPECT_EQ(::getsockname(listening_.get(), raw, &size), 0);
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
        thread_ = std::thread([this] { serve(); });
    }
    ~Answering() {
        ::shutdown(listening_.get(), SHUT_RDWR);
        thread_.join();
    }
    HttpRequest request() const { return {.method = "GET", .url = url_, .headers = {}, .body = {}}; }

  private:
    void serve() const {
        for (;;) {
            const Descriptor connection(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!connection) return;
            // A client that stays connected for ever has failed already.
            const timeval patience{5, 0};
            ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            std::string heard;
            std::array<char, 4096> room{};
            for (;;) {
                const auto got = ::read(connection.get(), room.data(), room.size());
                if (got <= 0) break;
                heard.append(room.data(), static_cast<std::size_t>(got));
                if (!heard.ends_with(heard.contains("chunked") ? "\r\n0\r\n\r\n" : "\r\n\r\n")) continue;
                heard.clear();
                const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
                if (::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
            }
        }
    }

    Descriptor listening_;
    std::string url_;
    std::thread thread_;
};

TEST(HttpClient, PassesOnWhatIsThrownWhileItReadsAndCanBeUsedAgain) {
    const Answering server;
    HttpClient client({});
    auto request = server.request();
    request.on_piece = [](std::string_view) -> bool { throw std::runtime_error("no room"); };
    EXPECT_THROW(std::ignore = client.send(request), std::runtime_error);
    const auto again = client.send(server.request());
    ASSERT_TRUE(again) << again.error().reason;
    EXPECT_EQ(again->body, "0123456789");
}

TEST(HttpClient, PassesOnWhatIsThrownWhileItSends) {
    const Answering server;
    HttpClient client({});
    auto request = server.request();
    request.method = "PUT";
    request.read_body = [](std::span<char>) -> std::optional<std::size_t> {
        throw std::runtime_error("nothing there");
    };
    EXPECT_THROW(std::ignore = client.send(request), std::runtime_error);
    EXPECT_TRUE(client.send(server.request()));
}

TEST(HttpClient, IsCancelledWhereThatIsAllowed) {
    const Answering server;
    HttpClient client({});
    client.set_cancelled([] { return true; });
    auto request = server.request();
    const auto cancelled = client.send(request);
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().kind, HttpFailure::Kind::kCancelled);
    request.may_be_cancelled = false;
    EXPECT_TRUE(client.send(request));
}

}  // namespace
}  // namespace agentdb9::cli::client
