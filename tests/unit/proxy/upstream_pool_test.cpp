#include "proxy/upstream_pool.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <map>
#include <mutex>

namespace agentdb9::proxy {
namespace {

using namespace std::chrono_literals;

class UpstreamPoolTest : public testing::Test {
  protected:
    ~UpstreamPoolTest() override {
        for (int fd : others_)
            ::close(fd);
    }
    // A connected stream; its other end is others_.back().
    std::unique_ptr<http::Stream> connected() {
        int fds[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        others_.push_back(fds[1]);

        return std::make_unique<http::Stream>(loop_, base::Descriptor(fds[0]));
    }
    static model::RouteTable table_of(const std::string& instance, model::RouteState state) {
        model::RouteTable table;
        auto id = base::WorkspaceId::generate();
        model::Route route{id, base::UserId::generate(), "vscode", 8080, true, state, instance, {}, {}, {}};
        table.routes[id] = std::make_shared<const model::Route>(route);
        return table;
    }

    asio::io_context io_{1};
    http::Loop loop_{io_};
    Limits limits_;
    UpstreamPool pool_{loop_, limits_};
    std::vector<int> others_;
    const Target one_{{"10.0.0.1", 80}, "i-1"};
};

TEST_F(UpstreamPoolTest, GivesBackWhatWasPutNewestFirst) {
    EXPECT_FALSE(pool_.take(one_, 1h, true));
    auto first = connected();
    auto second = connected();
    auto* newest = second.get();
    pool_.put(one_, std::move(first));
    pool_.put(one_, std::move(second));
    EXPECT_EQ(pool_.take(one_, 1h, true).get(), newest);
    EXPECT_EQ(pool_.size(), 1U);
}

TEST_F(UpstreamPoolTest, AnAddressThatPassedToAnotherInstanceIsAnotherTarget) {
    pool_.put(one_, connected());
    EXPECT_FALSE(pool_.take({one_.endpoint, "i-2"}, 1h, true));
    EXPECT_FALSE(pool_.take({{"10.0.0.1", 81}, "i-1"}, 1h, true));
    EXPECT_TRUE(pool_.take(one_, 1h, true));
}

TEST_F(UpstreamPoolTest, WhatIdledTooLongForTheCallerIsNotGiven) {
    pool_.put(one_, connected());
    EXPECT_FALSE(pool_.take(one_, -1ms, true));
    EXPECT_TRUE(pool_.take(one_, 0ms, true));
}

TEST_F(UpstreamPoolTest, ConnectionsThatSaidSomethingOrEndedAreNotGiven) {
    pool_.put(one_, connected());
    EXPECT_EQ(::send(others_.back(), "x", 1, 0), 1);
    EXPECT_FALSE(pool_.take(one_, 1h, true));
    pool_.put(one_, connected());
    ::shutdown(others_.back(), SHUT_WR);
    EXPECT_FALSE(pool_.take(one_, 1h, true));
    EXPECT_EQ(pool_.size(), 0U);
}

TEST_F(UpstreamPoolTest, SweepingDropsTheDead) {
    pool_.put(one_, connected());
    pool_.put(one_, connected());
    ::shutdown(others_.back(), SHUT_WR);
    pool_.sweep();
    EXPECT_EQ(pool_.size(), 1U);
}

TEST_F(UpstreamPoolTest, KeepsALimitedNumberOfAnEndpoint) {
    limits_.upstream_idle_per_endpoint = 2;
    for (int i = 0; i < 5; ++i)
        pool_.put(one_, connected());
    EXPECT_EQ(pool_.size(), 2U);
}

TEST_F(UpstreamPoolTest, OnlyInstancesThatServeKeepTheirs) {
    const Target fixed{{"10.0.0.9", 80}, {}};
    pool_.put(one_, connected());
    pool_.put(fixed, connected());
    pool_.retain(table_of("i-1", model::RouteState::kReady));
    EXPECT_EQ(pool_.size(), 2U);
    pool_.retain(table_of("i-2", model::RouteState::kReady));
    EXPECT_FALSE(pool_.take(one_, 1h, true));
    EXPECT_TRUE(pool_.take(fixed, 1h, true));
}

// A name's look-up in the test's hands; its thread may outlive the test.
class Names {
  public:
    NameResolver::LookUp look_up() {
        return [state = state_](const std::string& name) {
            ++state->asked;
            std::unique_lock lock(state->mutex);
            state->changed.wait(lock, [&] { return state->found.contains(name); });
            return state->found[name];
        };
    }
    void answer(const std::string& name, const std::vector<std::string>& addresses) {
        const std::lock_guard lock(state_->mutex);
        auto& found = state_->found[name];
        found.clear();
        for (const auto& each : addresses)
            found.push_back(asio::ip::make_address(each));
        state_->changed.notify_all();
    }
    int asked() const { return state_->asked; }

  private:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::map<std::string, NameResolver::Addresses> found;
        std::atomic<int> asked = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Listens on 127.0.0.1 only.
class Listening {
  public:
    Listening() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(fd_, 64), 0);
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port = ntohs(address.sin_port);
    }
    ~Listening() { ::close(fd_); }
    int port = 0;

  private:
    int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

class NamedUpstreams : public testing::Test {
  protected:
    // How `count` attempts at once end; absent: with a connection.
    std::vector<std::optional<http::IoError>> connect(const std::string& name, int port, int count = 1) {
        std::vector<std::optional<http::IoError>> ends;
        loop_.start({});
        for (int i = 0; i < count; ++i)
            asio::co_spawn(io_, pool_->connect({{name, port}, {}}),
                           [&](std::exception_ptr error, auto stream) {
                               EXPECT_FALSE(error);
                               ends.push_back(stream ? std::nullopt : std::optional(stream.error()));
                               if (static_cast<int>(ends.size()) == count) loop_.stop();
                           });
        io_.restart();
        io_.run();
        return ends;
    }

    asio::io_context io_{1};
    http::Loop loop_{io_};
    Limits limits_{.upstream_connect = 200ms};
    Names names_;
    Listening listening_;
    std::optional<UpstreamPool> pool_{std::in_place, loop_, limits_, names_.look_up()};
};

TEST_F(NamedUpstreams, AResolverThatDoesNotAnswerHoldsNobodyBeyondTheLimit) {
    const auto ends = connect("silent.test", listening_.port, 20);
    EXPECT_EQ(ends, std::vector(20, std::optional(http::IoError::kTimeout)));
    EXPECT_EQ(names_.asked(), 1) << "one look-up for all";
    // The one that still runs holds up neither another name nor the end.
    limits_.upstream_connect = 10s;
    names_.answer("good.test", {"127.0.0.1"});
    EXPECT_FALSE(connect("good.test", listening_.port).front());
    EXPECT_FALSE(connect("127.0.0.1", listening_.port).front());
    EXPECT_EQ(names_.asked(), 2);
    pool_.reset();
    names_.answer("silent.test", {"127.0.0.1"});
}

TEST_F(NamedUpstreams, AnAnswerThatComesLateIsThereForTheNext) {
    EXPECT_EQ(connect("late.test", listening_.port).front(), http::IoError::kTimeout);
    limits_.upstream_connect = 10s;
    names_.answer("late.test", {"127.0.0.1"});
    EXPECT_FALSE(connect("late.test", listening_.port).front());
    EXPECT_EQ(names_.asked(), 1);
}

TEST_F(NamedUpstreams, EveryAddressIsTried) {
    limits_.upstream_connect = 10s;
    names_.answer("two.test", {"127.0.0.2", "127.0.0.1"});
    EXPECT_EQ(connect("two.test", listening_.port, 5), std::vector(5, std::optional<http::IoError>()));
    names_.answer("down.test", {"127.0.0.2", "127.0.0.3"});
    EXPECT_EQ(connect("down.test", listening_.port).front(), http::IoError::kReset);
    names_.answer("none.test", {});
    EXPECT_EQ(connect("none.test", listening_.port).front(), http::IoError::kReset);
    names_.answer("none.test", {"127.0.0.1"});
    EXPECT_FALSE(connect("none.test", listening_.port).front()) << "that was not kept";
}

}  // namespace
}  // namespace agentdb9::proxy
