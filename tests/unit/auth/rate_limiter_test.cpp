#include "auth/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace agentdb9::auth {
namespace {

using namespace std::chrono_literals;

constexpr base::SteadyTime kStart{1000s};

TEST(RateLimiter, AllowsABurstThenTellsHowLongToWait) {
    RateLimiter limiter({.burst = 3, .refill = 2s, .max_keys = 10});
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(limiter.take("a", kStart));
    EXPECT_EQ(limiter.take("a", kStart), 2s);
    EXPECT_EQ(limiter.take("a", kStart + 1500ms), 1s);
    EXPECT_FALSE(limiter.take("a", kStart + 2s));
    EXPECT_TRUE(limiter.take("a", kStart + 2s));
}

TEST(RateLimiter, RefusedTriesCostNothing) {
    RateLimiter limiter({.burst = 1, .refill = 10s, .max_keys = 10});
    EXPECT_FALSE(limiter.take("a", kStart));
    for (int i = 1; i < 10; ++i)
        EXPECT_TRUE(limiter.take("a", kStart + i * 1s));
    EXPECT_FALSE(limiter.take("a", kStart + 10s));
}

TEST(RateLimiter, NeverHoldsMoreThanABurst) {
    RateLimiter limiter({.burst = 2, .refill = 1s, .max_keys = 10});
    EXPECT_FALSE(limiter.take("a", kStart));
    for (int i = 0; i < 2; ++i)
        EXPECT_FALSE(limiter.take("a", kStart + 1000s));
    EXPECT_TRUE(limiter.take("a", kStart + 1000s));
    limiter.give_back("a");
    limiter.give_back("a");
    limiter.give_back("a");
    for (int i = 0; i < 2; ++i)
        EXPECT_FALSE(limiter.take("a", kStart + 1000s));
    EXPECT_TRUE(limiter.take("a", kStart + 1000s));
}

TEST(RateLimiter, KeysDoNotShare) {
    RateLimiter limiter({.burst = 1, .refill = 1s, .max_keys = 10});
    EXPECT_FALSE(limiter.take("a", kStart));
    EXPECT_FALSE(limiter.take("b", kStart));
    EXPECT_TRUE(limiter.take("a", kStart));
}

TEST(RateLimiter, ForgetsTheKeyThatWasUsedLongestAgo) {
    RateLimiter limiter({.burst = 1, .refill = 1h, .max_keys = 3});
    for (const auto* key : {"a", "b", "c"})
        EXPECT_FALSE(limiter.take(key, kStart));
    EXPECT_TRUE(limiter.take("a", kStart));
    EXPECT_FALSE(limiter.take("d", kStart));
    EXPECT_EQ(limiter.size(), 3U);
    EXPECT_TRUE(limiter.take("a", kStart));
    EXPECT_FALSE(limiter.take("b", kStart));
    limiter.give_back("never seen");
    EXPECT_EQ(limiter.size(), 3U);
}

}  // namespace
}  // namespace agentdb9::auth
