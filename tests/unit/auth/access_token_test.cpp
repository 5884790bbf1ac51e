#include "auth/access_token.hpp"

#include <gtest/gtest.h>

#include "auth/bearer.hpp"
#include "auth/jwt.hpp"
#include "auth/keys.hpp"
#include "auth/tokens.hpp"
#include "base/error.hpp"

namespace agentdb9::auth {
namespace {

const auto kKeys = Keys::from_secret("a secret of thirty-two bytes or more");
const base::Time kNow = base::from_unix_ms(1'700'000'000'500);

model::User someone() {
    return {.id = base::UserId::generate(),
            .email = "a@example.org",
            .username = "a",
            .password_hash = "",
            .first_name = {},
            .last_name = {},
            .role = model::Role::kAdmin,
            .preferences = {},
            .last_login_at = {},
            .created_at = {},
            .updated_at = {}};
}

TEST(AccessToken, HasTheClaimsThatClientsKnow) {
    const auto user = someone();
    const auto session = base::SessionId::generate();
    const auto text = make_access_token(user, session, kNow, kKeys.access_tokens);
    const auto claims = verify_jwt(text, kKeys.access_tokens, kNow).value();
    EXPECT_EQ(claims.at("sub").as_string(), user.id.view());
    EXPECT_EQ(claims.at("email"), "a@example.org");
    EXPECT_EQ(claims.at("username"), "a");
    EXPECT_EQ(claims.at("role"), "admin");
    EXPECT_EQ(claims.at("sid").as_string(), session.view());
    EXPECT_EQ(claims.at("iat"), 1'700'000'000);
    EXPECT_EQ(claims.at("exp"), 1'700'003'600);
    EXPECT_TRUE(claims.at("jti").is_string());

    const auto read = read_access_token(text, kKeys.access_tokens, kNow).value();
    EXPECT_EQ(read.user, user.id);
    EXPECT_EQ(read.session, session);
    EXPECT_EQ(read.expires_at, base::from_unix_ms(1'700'003'600'000));
}

TEST(AccessToken, NeedsASubjectAndASession) {
    const auto id = base::UserId::generate();
    for (const json::object& claims :
         {json::object{{"exp", 1'800'000'000}, {"sub", id.view()}},
          json::object{{"exp", 1'800'000'000}, {"sid", id.view()}},
          json::object{{"exp", 1'800'000'000}, {"sub", "x"}, {"sid", id.view()}},
          json::object{{"exp", 1'800'000'000}, {"sub", 7}, {"sid", id.view()}}}) {
        const auto text = sign_jwt(claims, kKeys.access_tokens);
        EXPECT_EQ(read_access_token(text, kKeys.access_tokens, kNow).error(), Failure::kMalformed);
    }
}

TEST(Keys, EachIsGoodForOnePurpose) {
    EXPECT_NE(kKeys.refresh_tokens, kKeys.access_tokens);
    EXPECT_NE(kKeys.application_cookies, kKeys.access_tokens);
    EXPECT_NE(kKeys.application_cookies, kKeys.refresh_tokens);
    EXPECT_THROW(Keys::from_secret("short"), base::Error);
}

TEST(BearerToken, ReadsTheSchemeInAnyCase) {
    EXPECT_EQ(bearer_token("Bearer abc"), "abc");
    EXPECT_EQ(bearer_token("bEARER   a.b-c_d~e+f/g= "), "a.b-c_d~e+f/g=");
    for (const auto* text : {"", "Bearer", "Bearer ", "Bearerabc", "Basic abc", "Bearer a b", "Bearer a,b",
                             "Bearer \xc3\xa4", " Bearer abc"})
        EXPECT_FALSE(bearer_token(text)) << text;
    // What is only looked up may be anything.
    EXPECT_EQ(bearer_text("Bearer  a,b "), "a,b");
    for (const auto* text : {"", "Bearer ", "Basic abc"})
        EXPECT_FALSE(bearer_text(text)) << text;
}

TEST(SignedTexts, AreFoundInAnySchemeAndPlace) {
    const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi-_.T" + std::string(42, 'x');
    using Found = std::vector<std::string_view>;
    for (const auto& text :
         {token, "Bearer " + token, "JWT\t" + token, "Token token=\"" + token + "\"", "a=" + token + ",b",
          "Basic YTpi, Bearer " + token, token + ";" + token.substr(1, 9), "x:" + token + "="})
        EXPECT_EQ(signed_texts(text), Found{token}) << text;
    EXPECT_EQ(signed_texts(token + " " + token), (Found{token, token}));
    for (const auto& text : {std::string(), std::string("Basic dXNlcjpwYXNz"), std::string("Bearer a.b.c"),
                             token + "x", "x." + token, token.substr(token.find('.') + 1),
                             token.substr(0, token.size() - 1), std::string("..")})
        EXPECT_TRUE(signed_texts(text).empty()) << text;
    const auto key = std::string(32, 'k');
    const auto refresh = make_refresh_token(base::SessionId::generate(), key);
    EXPECT_EQ(signed_texts("Bearer " + refresh), Found{refresh});
}

}  // namespace
}  // namespace agentdb9::auth
