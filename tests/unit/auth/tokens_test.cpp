#include "auth/tokens.hpp"

#include <gtest/gtest.h>

#include "auth/keys.hpp"

namespace agentdb9::auth {
namespace {

const auto kKey = Keys::from_secret("a secret of thirty-two bytes or more").refresh_tokens;

TEST(ApiTokens, HaveTheirPrefixAnd256Bits) {
    const auto token = make_api_token();
    EXPECT_TRUE(is_api_token(token));
    EXPECT_TRUE(token.starts_with("adb9_"));
    EXPECT_NE(token, make_api_token());
    EXPECT_TRUE(token.starts_with(api_token_hint(token)));
    EXPECT_EQ(api_token_hint(token).size(), 10U);
    EXPECT_EQ(token_hash(token).size(), 64U);
}

TEST(ApiTokens, OtherTextsAreNone) {
    const auto token = make_api_token();
    for (const std::string& text :
         {std::string(), std::string("adb9_"), token + "a", token.substr(1),
          token.substr(0, token.size() - 1), std::string("adb9_") + std::string(43, '!')})
        EXPECT_FALSE(is_api_token(text)) << text;
}

TEST(RefreshTokens, NameTheirSession) {
    const auto session = base::SessionId::generate();
    const auto token = make_refresh_token(session, kKey);
    EXPECT_EQ(session_of_refresh_token(token, kKey), session);
    EXPECT_NE(token, make_refresh_token(session, kKey));
}

TEST(RefreshTokens, HaveTheirForm) {
    const auto token = make_refresh_token(base::SessionId::generate(), kKey);
    EXPECT_TRUE(is_like_refresh_token(token));
    EXPECT_FALSE(is_like_refresh_token(token + "0"));
    EXPECT_FALSE(is_like_refresh_token(token.substr(1) + "0"));
    EXPECT_FALSE(is_like_refresh_token("g" + token.substr(1)));
    EXPECT_FALSE(is_like_refresh_token(""));
}

TEST(RefreshTokens, CannotBeMadeUp) {
    const auto token = make_refresh_token(base::SessionId::generate(), kKey);
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_FALSE(session_of_refresh_token(changed, kKey)) << i;
        EXPECT_FALSE(session_of_refresh_token(token.substr(0, i), kKey)) << i;
    }
    EXPECT_FALSE(session_of_refresh_token(token + "0", kKey));
    EXPECT_FALSE(session_of_refresh_token(token, std::string(32, 'k')));
}

TEST(Tickets, AreRandomTexts) {
    EXPECT_TRUE(is_ticket(make_ticket()));
    EXPECT_NE(make_ticket(), make_ticket());
    EXPECT_FALSE(is_ticket(""));
    EXPECT_FALSE(is_ticket(make_ticket() + "a"));
    EXPECT_FALSE(is_ticket(std::string(43, '/')));
}

}  // namespace
}  // namespace agentdb9::auth
