#include "runtime/docker/address_pool.hpp"

#include <gmock/gmock.h>

namespace agentdb9::runtime::docker {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Not;
using testing::Optional;

const base::SteadyTime kNow{std::chrono::hours(1)};

TEST(AddressPool, WantsAnIpv4SubnetOfASensibleSize) {
    for (const auto* subnet : {"10.0.0.0/8", "10.213.0.0/16", "192.168.7.0/29", "10.213.9.9/16"})
        EXPECT_TRUE(AddressPool::make(subnet, 0)) << subnet;
    for (const auto* subnet :
         {"", "10.213.0.0", "10.213.0.0/", "10.213.0.0/7", "10.213.0.0/30", "10.0.0.0/33", "10.213.0.0/-1",
          "fd00::/64", "10.213.0/16", "10.213.0.0/16 ", "x"})
        EXPECT_FALSE(AddressPool::make(subnet, 0)) << subnet;
}

TEST(AddressPool, LeavesOutTheNetworksGatewaysAndBroadcastAddress) {
    auto pool = AddressPool::make("10.213.4.8/29", 0);
    std::set<std::string> chosen;
    while (auto address = pool->choose(chosen, kNow))
        chosen.insert(*address);
    EXPECT_EQ(chosen, (std::set<std::string>{"10.213.4.10", "10.213.4.11", "10.213.4.12", "10.213.4.13",
                                             "10.213.4.14"}));
}

TEST(AddressPool, WalksOnInsteadOfGivingAFreedAddressToTheNext) {
    auto pool = AddressPool::make("10.213.0.0/16", 0);
    std::set<std::string> chosen;
    for (int i = 0; i < 1000; ++i) {
        // Nothing is in use: each was freed as soon as it was given.
        const auto address = pool->choose({}, kNow);
        ASSERT_TRUE(address);
        EXPECT_TRUE(chosen.insert(*address).second) << *address << " was given twice";
    }
}

TEST(AddressPool, WrapsAroundAtTheEndOfTheSubnet) {
    auto pool = AddressPool::make("10.213.0.0/29", 4);
    EXPECT_THAT(pool->choose({}, kNow), Optional(std::string("10.213.0.6")));
    EXPECT_THAT(pool->choose({}, kNow), Optional(std::string("10.213.0.2")));
}

TEST(AddressPool, BeginsInsideTheSubnetWhereverItIsToldTo) {
    for (const std::uint64_t start :
         {std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{5}, ~std::uint64_t{0}}) {
        auto pool = AddressPool::make("10.213.0.0/29", start);
        const auto address = pool->choose({}, kNow);
        ASSERT_TRUE(address);
        EXPECT_GE(*address, "10.213.0.2");
        EXPECT_LE(*address, "10.213.0.6");
    }
}

TEST(AddressPool, KeepsAFreedAddressBackForTenMinutes) {
    auto pool = AddressPool::make("10.213.0.0/29", 0);
    pool->hold_back("10.213.0.3", kNow);
    const auto all_at = [&](base::SteadyTime now) {
        std::set<std::string> chosen;
        while (auto address = pool->choose(chosen, now))
            chosen.insert(*address);
        return chosen;
    };
    EXPECT_THAT(all_at(kNow), Not(Contains("10.213.0.3")));
    EXPECT_THAT(all_at(kNow + 10min - 1ns), Not(Contains("10.213.0.3")));
    EXPECT_THAT(all_at(kNow + 10min), Contains("10.213.0.3"));
}

TEST(AddressPool, SaysWhenNoneIsLeft) {
    auto pool = AddressPool::make("10.213.0.0/29", 0);
    const std::set<std::string> in_use{"10.213.0.2", "10.213.0.3", "10.213.0.4", "10.213.0.5"};
    EXPECT_THAT(pool->choose(in_use, kNow), Optional(std::string("10.213.0.6")));
    pool->hold_back("10.213.0.6", kNow);
    EXPECT_EQ(pool->choose(in_use, kNow), std::nullopt);
    EXPECT_EQ(pool->choose(in_use, kNow), std::nullopt);
}

}  // namespace
}  // namespace agentdb9::runtime::docker
