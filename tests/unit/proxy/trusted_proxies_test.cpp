#include "proxy/trusted_proxies.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

TrustedProxies of(const std::vector<std::string>& list) {
    auto parsed = TrustedProxies::parse(list);
    EXPECT_TRUE(parsed);
    return parsed.value_or(TrustedProxies());
}

TEST(TrustedProxies, NobodyIsTrustedByDefault) {
    EXPECT_FALSE(of({}).trusts("127.0.0.1"));
    EXPECT_EQ(of({}).client("192.0.2.1", "203.0.113.1"), "192.0.2.1");
}

TEST(TrustedProxies, AddressesAndPrefixes) {
    auto proxies = of({"192.0.2.1", "10.1.2.3/8", "2001:db8::/32", "::1"});
    for (const char* address : {"192.0.2.1", "10.0.0.0", "10.255.255.255", "2001:db8::7", "::1"})
        EXPECT_TRUE(proxies.trusts(address)) << address;
    for (const char* address :
         {"192.0.2.2", "11.0.0.1", "2001:db9::7", "::2", "", "10.0.0", "name", "10.0.0.1:80"})
        EXPECT_FALSE(proxies.trusts(address)) << address;
    EXPECT_TRUE(of({"0.0.0.0/0"}).trusts("8.8.8.8"));
    EXPECT_FALSE(of({"0.0.0.0/0"}).trusts("::1"));
}

TEST(TrustedProxies, WhatIsNoAddressIsRefused) {
    for (const char* text :
         {"", "name", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "2001:db8::/129", "10.0.0.1:80", "*"})
        EXPECT_FALSE(TrustedProxies::parse({text})) << text;
}

TEST(TrustedProxies, TheClientIsTheLastAddressThatNobodyTrustedWrote) {
    auto proxies = of({"10.0.0.0/8"});
    EXPECT_EQ(proxies.client("10.0.0.1", ""), "10.0.0.1");
    EXPECT_EQ(proxies.client("10.0.0.1", "203.0.113.1"), "203.0.113.1");
    EXPECT_EQ(proxies.client("10.0.0.1", "6.6.6.6, 203.0.113.1"), "203.0.113.1");
    EXPECT_EQ(proxies.client("10.0.0.1", "6.6.6.6,203.0.113.1 ,\t10.0.0.2"), "203.0.113.1");
    EXPECT_EQ(proxies.client("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
    EXPECT_EQ(proxies.client("203.0.113.9", "6.6.6.6"), "203.0.113.9");
    // What is no address ends the chain.
    EXPECT_EQ(proxies.client("10.0.0.1", "6.6.6.6, unknown"), "10.0.0.1");
    EXPECT_EQ(proxies.client("10.0.0.1", "6.6.6.6, unknown, 10.0.0.2"), "10.0.0.2");
}

}  // namespace
}  // namespace agentdb9::proxy
