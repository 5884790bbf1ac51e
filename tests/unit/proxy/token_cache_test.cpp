#include "proxy/token_cache.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

using Kind = auth::Credential::Kind;
const base::Time kNow = base::from_unix_ms(1'700'000'000'000);

PrincipalPtr someone(base::Time expires_at = kNow + std::chrono::hours(1)) {
    return std::make_shared<const auth::Principal>(auth::Principal{base::UserId::generate(),
                                                                   "",
                                                                   "",
                                                                   model::Role::kUser,
                                                                   base::SessionId::generate(),
                                                                   {},
                                                                   {},
                                                                   expires_at});
}

TEST(TokenCache, FindsWhatWasPut) {
    TokenCache cache(16);
    auto principal = someone();
    EXPECT_FALSE(cache.find(Kind::kBearer, "token", kNow));
    cache.put({Kind::kBearer, "token"}, principal);
    EXPECT_EQ(cache.find(Kind::kBearer, "token", kNow), principal);
    EXPECT_EQ(cache.size(), 1U);
}

TEST(TokenCache, TheWholeTextAndTheKindCount) {
    TokenCache cache(1);  // everything in one slot
    cache.put({Kind::kBearer, "token"}, someone());
    EXPECT_FALSE(cache.find(Kind::kApplicationCookie, "token", kNow));
    for (const char* text : {"", "toke", "tokem", "token ", "Token"})
        EXPECT_FALSE(cache.find(Kind::kBearer, text, kNow)) << text;
}

TEST(TokenCache, EveryByteCounts) {
    for (std::size_t size = 1; size <= 33; ++size) {
        TokenCache cache(1);
        std::string text(size, 'a');
        cache.put({Kind::kBearer, text}, someone());
        EXPECT_TRUE(cache.find(Kind::kBearer, text, kNow)) << size;
        EXPECT_FALSE(cache.find(Kind::kBearer, text + 'a', kNow)) << size;
        EXPECT_FALSE(cache.find(Kind::kBearer, text + '\0', kNow)) << size;
        for (auto& byte : text) {
            byte = 'b';
            EXPECT_FALSE(cache.find(Kind::kBearer, text, kNow)) << text;
            byte = 'a';
        }
    }
}

TEST(TokenCache, OfTwoInOneSlotTheNewerStays) {
    TokenCache cache(1);
    cache.put({Kind::kBearer, "one"}, someone());
    cache.put({Kind::kBearer, "two"}, someone());
    EXPECT_FALSE(cache.find(Kind::kBearer, "one", kNow));
    EXPECT_TRUE(cache.find(Kind::kBearer, "two", kNow));
    EXPECT_EQ(cache.size(), 1U);
}

TEST(TokenCache, NothingIsFoundAfterItsExpiry) {
    TokenCache cache(16);
    cache.put({Kind::kBearer, "token"}, someone(kNow));
    EXPECT_FALSE(cache.find(Kind::kBearer, "token", kNow));
    EXPECT_TRUE(cache.find(Kind::kBearer, "token", kNow - std::chrono::milliseconds(1)));
}

TEST(TokenCache, ARevocationDropsWhatItCovers) {
    TokenCache cache(1024);
    auto one = someone();
    auto two = someone();
    cache.put({Kind::kBearer, "one"}, one);
    cache.put({Kind::kApplicationCookie, "one's cookie"}, one);
    cache.put({Kind::kBearer, "two"}, two);
    cache.revoke({one->user, {}, {}, {}});
    EXPECT_FALSE(cache.find(Kind::kBearer, "one", kNow));
    EXPECT_FALSE(cache.find(Kind::kApplicationCookie, "one's cookie", kNow));
    EXPECT_TRUE(cache.find(Kind::kBearer, "two", kNow));
}

TEST(TokenCache, TheSessionThatChangedThePasswordStays) {
    TokenCache cache(1024);
    auto one = someone();
    cache.put({Kind::kBearer, "one"}, one);
    cache.revoke({one->user, {}, {}, one->session});
    EXPECT_TRUE(cache.find(Kind::kBearer, "one", kNow));
}

TEST(TokenCache, TellsOfRevocationsSinceAnEpoch) {
    TokenCache cache(16);
    auto one = someone();
    auto two = someone();
    auto before = cache.epoch();
    EXPECT_FALSE(cache.revoked_since(before, *one));
    cache.revoke({{}, one->session, {}, {}});
    EXPECT_TRUE(cache.revoked_since(before, *one));
    EXPECT_FALSE(cache.revoked_since(before, *two));
    EXPECT_FALSE(cache.revoked_since(cache.epoch(), *one));
}

TEST(TokenCache, WhatItHasForgottenCountsAsRevoked) {
    TokenCache cache(16);
    auto one = someone();
    auto before = cache.epoch();
    for (int i = 0; i < 1024; ++i)
        cache.revoke({base::UserId::generate(), {}, {}, {}});
    EXPECT_FALSE(cache.revoked_since(before, *one));
    cache.revoke({base::UserId::generate(), {}, {}, {}});
    EXPECT_TRUE(cache.revoked_since(before, *one));
    EXPECT_FALSE(cache.revoked_since(before + 1, *one));
}

}  // namespace
}  // namespace agentdb9::proxy
