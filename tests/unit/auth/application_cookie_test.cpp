#include "auth/application_cookie.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "auth/keys.hpp"

namespace agentdb9::auth {
namespace {

const auto kKey = Keys::from_secret("a secret of thirty-two bytes or more").application_cookies;
const base::Time kNow = base::from_unix_ms(1'700'000'000'000);

ApplicationCookie some_cookie() {
    return {.user = base::UserId::generate(),
            .session = base::SessionId::generate(),
            .api_token = std::nullopt,
            .scope = {base::WorkspaceId::generate(), 8080},
            .expires_at = kNow + std::chrono::seconds(10)};
}

TEST(ApplicationCookie, OpensWhatItSealed) {
    const auto cookie = some_cookie();
    const auto opened = open_application_cookie(seal_application_cookie(cookie, kKey), kKey, kNow);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->user, cookie.user);
    EXPECT_EQ(opened->session, cookie.session);
    EXPECT_FALSE(opened->api_token);
    EXPECT_EQ(opened->scope, cookie.scope);
    EXPECT_EQ(opened->expires_at, cookie.expires_at);
}

TEST(ApplicationCookie, MayStandOnAnApiToken) {
    auto cookie = some_cookie();
    cookie.session.reset();
    cookie.api_token = base::ApiTokenId::generate();
    const auto opened = open_application_cookie(seal_application_cookie(cookie, kKey), kKey, kNow);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->api_token, cookie.api_token);
    EXPECT_FALSE(opened->session);
}

TEST(ApplicationCookie, IsACookieOctetText) {
    const auto text = seal_application_cookie(some_cookie(), kKey);
    EXPECT_TRUE(std::ranges::all_of(
        text, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'; }));
    EXPECT_LT(text.size(), 256U);
}

TEST(ApplicationCookie, Expires) {
    const auto cookie = some_cookie();
    const auto text = seal_application_cookie(cookie, kKey);
    EXPECT_TRUE(open_application_cookie(text, kKey, cookie.expires_at - std::chrono::milliseconds(1)));
    EXPECT_EQ(open_application_cookie(text, kKey, cookie.expires_at).error(), Failure::kExpired);
}

TEST(ApplicationCookie, EveryChangedByteIsNoticed) {
    const auto text = seal_application_cookie(some_cookie(), kKey);
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (const char c : {'0', 'a', '.', '_', ';', '\0'}) {
            if (text[i] == c) continue;
            auto changed = text;
            changed[i] = c;
            EXPECT_FALSE(open_application_cookie(changed, kKey, kNow)) << i;
        }
        EXPECT_FALSE(open_application_cookie(text.substr(0, i), kKey, kNow)) << i;
    }
    EXPECT_FALSE(open_application_cookie(text + "0", kKey, kNow));
    EXPECT_FALSE(open_application_cookie(std::string(10'000, '.'), kKey, kNow));
}

TEST(ApplicationCookie, KeysOfOtherPurposesDoNotOpenIt) {
    const auto text = seal_application_cookie(some_cookie(), kKey);
    const auto keys = Keys::from_secret("a secret of thirty-two bytes or more");
    EXPECT_FALSE(open_application_cookie(text, keys.access_tokens, kNow));
    EXPECT_FALSE(open_application_cookie(text, keys.refresh_tokens, kNow));
}

}  // namespace
}  // namespace agentdb9::auth
