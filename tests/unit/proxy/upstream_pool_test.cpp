#include "proxy/upstream_pool.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

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

}  // namespace
}  // namespace agentdb9::proxy
