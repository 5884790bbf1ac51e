#include "proxy/connection_counts.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace agentdb9::proxy {
namespace {

ConnectionCounts::Key key(std::string_view address) {
    return connection_key(address).value();
}

TEST(ConnectionCounts, RefuseOverTheLimitAndTakeAgainWhenOneIsGivenBack) {
    ConnectionCounts counts;
    auto one = counts.take(key("192.0.2.1"), 2);
    auto two = counts.take(key("192.0.2.1"), 2);
    ASSERT_TRUE(one && two);
    EXPECT_FALSE(counts.take(key("192.0.2.1"), 2));
    EXPECT_TRUE(counts.take(key("192.0.2.2"), 2)) << "another address has connections of its own";
    one.reset();
    EXPECT_EQ(counts.count(key("192.0.2.1")), 1U);
    EXPECT_TRUE(counts.take(key("192.0.2.1"), 2));
}

TEST(ConnectionCounts, KeepNothingOfThoseThatHaveNone) {
    ConnectionCounts counts;
    {
        std::vector<ConnectionCounts::Share> shares;
        for (int i = 0; i < 200; ++i)
            shares.push_back(std::move(counts.take(key("10.0.0." + std::to_string(i)), 1)).value());
        EXPECT_EQ(counts.size(), 200U);
    }
    EXPECT_EQ(counts.size(), 0U);
}

TEST(ConnectionCounts, AShareThatTakesAnothersPlaceGivesItBack) {
    ConnectionCounts counts;
    auto share = std::move(counts.take(key("192.0.2.1"), 9)).value();
    {
        auto other = std::move(counts.take(key("192.0.2.2"), 9)).value();
        share = std::move(other);
    }
    EXPECT_EQ(counts.count(key("192.0.2.1")), 0U);
    EXPECT_EQ(counts.count(key("192.0.2.2")), 1U);
}

TEST(ConnectionCounts, NeverExceedTheLimitHoweverManyThreadsTake) {
    constexpr std::size_t kLimit = 100;
    ConnectionCounts counts;
    std::atomic<std::size_t> taken = 0;
    std::vector<std::vector<ConnectionCounts::Share>> shares(4);
    {
        std::vector<std::jthread> threads;
        for (auto& own : shares) {
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < kLimit; ++i) {
                    if (auto share = counts.take(key("192.0.2.1"), kLimit)) {
                        own.push_back(std::move(*share));
                        ++taken;
                    }
                }
            });
        }
    }
    EXPECT_EQ(taken, kLimit) << "not one too many, and none refused below it";
    shares.clear();
    EXPECT_EQ(counts.size(), 0U);
}

TEST(ConnectionKey, IsOfTheWholeAddressOrOfThe64) {
    EXPECT_FALSE(key("192.0.2.1") == key("192.0.2.2"));
    EXPECT_TRUE(key("2001:db8::1") == key("2001:db8::ffff:1"));
    EXPECT_TRUE(key("2001:db8:0:1::1") == key("2001:db8:0:1:ffff::"));
    EXPECT_FALSE(key("2001:db8:0:1::1") == key("2001:db8:0:2::1"));
    EXPECT_TRUE(key("::ffff:192.0.2.1") == key("192.0.2.1"));
    EXPECT_FALSE(key("::1") == key("0.0.0.1"));
    EXPECT_TRUE(key("fe80::1%eth0") == key("fe80::1"));
}

TEST(ConnectionKey, IsAbsentForWhatIsNoAddress) {
    for (const auto* text : {"", "unix", "192.0.2", "192.0.2.1:80", "[::1]"})
        EXPECT_FALSE(connection_key(text)) << text;
}

TEST(ConnectionKey, OfAUserIsTheWholeId) {
    auto one = base::UserId::parse("00000000-0000-0000-0000-00000000000f").value();
    auto two = base::UserId::parse("f0000000-0000-0000-0000-00000000000f").value();
    EXPECT_EQ(connection_key(one).high, 0U);
    EXPECT_EQ(connection_key(one).low, 15U);
    EXPECT_FALSE(connection_key(one) == connection_key(two));
}

}  // namespace
}  // namespace agentdb9::proxy
