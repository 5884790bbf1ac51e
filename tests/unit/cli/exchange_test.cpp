#include "cli/exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

namespace agentdb9::cli {
namespace {

using Kind = ExchangeFailure::Kind;
using testing::HasSubstr;

constexpr std::chrono::seconds kLong{20};
constexpr std::chrono::milliseconds kShort{50};

// Listens on a unix socket of its own; answers one connection with `answer`, after it has read a request.
class Exchange : public testing::Test {
  protected:
    Exchange() {
        std::string pattern = (std::filesystem::temp_directory_path() / "agentdb9-cli-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        socket_ = folder_ / "s";
    }
    ~Exchange() override {
        if (thread_.joinable()) thread_.join();
        if (listener_ >= 0) ::close(listener_);
        std::filesystem::remove_all(folder_);
    }
    void listen() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::listen(listener_, 1), 0);
    }
    void answer(std::string text) {
        listen();
        thread_ = std::thread([this, text = std::move(text)] {
            const int fd = ::accept(listener_, nullptr, nullptr);
            char piece[4096];
            while (request_.find("\r\n\r\n") == std::string::npos) {
                const auto count = ::recv(fd, piece, sizeof piece, 0);
                if (count <= 0) break;
                request_.append(piece, static_cast<std::size_t>(count));
            }
            ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
            ::close(fd);
        });
    }
    std::filesystem::path folder_;
    std::filesystem::path socket_;
    std::string request_;
    std::thread thread_;
    int listener_ = -1;
};

TEST_F(Exchange, AsksAndReadsTheWholeAnswer) {
    answer("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    const auto got = exchange(socket_, "POST", "/operator/x", "{}", kLong);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 201);
    EXPECT_EQ(got->body, "hi");
    thread_.join();
    EXPECT_THAT(request_, HasSubstr("POST /operator/x HTTP/1.1\r\n"));
    EXPECT_THAT(request_, HasSubstr("Content-Length: 2\r\n"));
}

TEST_F(Exchange, ASocketThatIsNotThereMeansNobodyListens) {
    const auto got = exchange(socket_, "GET", "/", "", kLong);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kNobodyListens);
}

TEST_F(Exchange, ASocketThatASlainServerLeftMeansNobodyListens) {
    listen();
    ::close(std::exchange(listener_, -1));
    const auto got = exchange(socket_, "GET", "/", "", kLong);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kNobodyListens);
}

TEST_F(Exchange, WhoListensAndSaysNothingIsNamed) {
    listen();
    const auto got = exchange(socket_, "GET", "/", "", kShort);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kSilent);
    EXPECT_EQ(got.error().process, ::getpid());
}

TEST_F(Exchange, AFullQueueIsSilenceToo) {
    listen();
    std::vector<int> waiting;
    const auto refused = [&] {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        waiting.push_back(fd);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
        return ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
    };
    while (!refused()) {
    }
    const auto got = exchange(socket_, "GET", "/", "", kLong);
    for (const int fd : waiting)
        ::close(fd);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kSilent);
}

TEST_F(Exchange, AnAnswerThatBreaksOffIsNone) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf");
    const auto got = exchange(socket_, "GET", "/", "", kLong);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kBroken);
}

TEST_F(Exchange, WhatIsNoHttpIsNoAnswer) {
    answer("220 mail.example ESMTP\r\n\r\n");
    const auto got = exchange(socket_, "GET", "/", "", kLong);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kBroken);
}

TEST(ExchangeAddress, APathThatNoSocketCanHaveMeansNobodyListens) {
    const auto got = exchange(std::filesystem::path("/" + std::string(200, 'x')), "GET", "/", "", kLong);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, Kind::kNobodyListens);
    EXPECT_THAT(got.error().reason, HasSubstr("too long"));
}

}  // namespace
}  // namespace agentdb9::cli
