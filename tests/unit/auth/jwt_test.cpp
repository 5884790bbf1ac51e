#include "auth/jwt.hpp"

#include <gtest/gtest.h>

#include "base/crypto.hpp"

namespace agentdb9::auth {
namespace {

using base::base64url_encode;

const std::string kKey = "0123456789abcdef0123456789abcdef";
const base::Time kNow = base::from_unix_ms(1'700'000'000'000);
constexpr std::int64_t kSeconds = 1'700'000'000;

// A token with any header and payload, rightly signed.
std::string forge(std::string_view header, std::string_view payload, std::string_view key = kKey) {
    const auto signed_part = base64url_encode(header) + "." + base64url_encode(payload);
    return signed_part + "." + base64url_encode(base::hmac_sha256(key, signed_part));
}

std::string payload(std::int64_t expires = kSeconds + 60) {
    return "{\"sub\":\"x\",\"exp\":" + std::to_string(expires) + "}";
}

bool accepts(std::string_view token) {
    return verify_jwt(token, kKey, kNow).has_value();
}

TEST(Jwt, ReadsWhatItSigned) {
    const auto token = sign_jwt({{"sub", "someone"}, {"exp", kSeconds + 1}}, kKey);
    const auto claims = verify_jwt(token, kKey, kNow);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->at("sub"), "someone");
}

TEST(Jwt, ReadsTheExampleOfRfc7515AppendixA1) {
    const auto key = base::base64url_decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    const std::string token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const auto claims = verify_jwt(token, *key, base::from_unix_ms(1'300'819'379'999));
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->at("iss"), "joe");
    EXPECT_EQ(verify_jwt(token, *key, base::from_unix_ms(1'300'819'380'000)).error(), Failure::kExpired);
}

TEST(Jwt, ExpiresToTheSecond) {
    EXPECT_FALSE(accepts(forge(R"({"alg":"HS256"})", payload(kSeconds))));
    EXPECT_FALSE(accepts(forge(R"({"alg":"HS256"})", payload(kSeconds - 1))));
    EXPECT_TRUE(accepts(forge(R"({"alg":"HS256"})", payload(kSeconds + 1))));
}

TEST(Jwt, NeedsAnExpiryThatIsAWholeNumber) {
    for (const auto* claims : {R"({})", R"({"exp":null})", R"({"exp":"9999999999"})", R"({"exp":1e300})",
                               R"({"exp":18446744073709551615})", R"({"exp":true})", R"([])", R"("x")", ""})
        EXPECT_FALSE(accepts(forge(R"({"alg":"HS256"})", claims))) << claims;
}

TEST(Jwt, RefusesTokensFromTheFuture) {
    const auto with = [](std::string_view name, std::int64_t at) {
        return forge(R"({"alg":"HS256"})", "{\"exp\":" + std::to_string(kSeconds + 1000) + ",\"" +
                                               std::string(name) + "\":" + std::to_string(at) + "}");
    };
    for (const auto* name : {"nbf", "iat"}) {
        EXPECT_TRUE(accepts(with(name, kSeconds + 60))) << name;
        EXPECT_FALSE(accepts(with(name, kSeconds + 61))) << name;
    }
}

TEST(Jwt, TheAlgorithmIsNotTheTokensToChoose) {
    for (const auto* header :
         {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS384"})", R"({"alg":"RS256"})",
          R"({"alg":"hs256"})", R"({"alg":["HS256"]})", R"({})", R"([])", R"({"typ":"JWT"})",
          R"({"alg":"HS256","typ":"JWE"})", R"({"alg":"HS256","crit":["exp"],"exp":1})",
          R"({"alg":"HS256","crit":[]})", "not json", ""})
        EXPECT_FALSE(accepts(forge(header, payload()))) << header;
    EXPECT_TRUE(accepts(forge(R"({"alg":"HS256"})", payload())));
    EXPECT_TRUE(accepts(forge(R"({"alg":"HS256","typ":"JWT","kid":"1"})", payload())));
}

TEST(Jwt, UnsignedTokensAreRefused) {
    const auto part = base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(payload());
    EXPECT_FALSE(accepts(part + "."));
    EXPECT_FALSE(accepts(part));
    const auto ours = base64url_encode(R"({"alg":"HS256"})") + "." + base64url_encode(payload());
    EXPECT_FALSE(accepts(ours + "."));
    EXPECT_FALSE(accepts(ours));
}

TEST(Jwt, AnotherKeyIsRefused) {
    EXPECT_FALSE(accepts(forge(R"({"alg":"HS256"})", payload(), "another key of thirty-two bytes!!")));
}

TEST(Jwt, EveryChangedByteIsNoticed) {
    const auto token = sign_jwt({{"sub", "someone"}, {"exp", kSeconds + 60}}, kKey);
    for (std::size_t i = 0; i < token.size(); ++i) {
        for (const char c : {'A', 'b', '0', '_', '.', '=', ' ', '\0'}) {
            if (token[i] == c) continue;
            auto changed = token;
            changed[i] = c;
            EXPECT_FALSE(accepts(changed)) << i << c;
        }
        EXPECT_FALSE(accepts(token.substr(0, i))) << i;
    }
    EXPECT_FALSE(accepts(token + "A"));
    EXPECT_FALSE(accepts(token + "."));
    EXPECT_FALSE(accepts(" " + token));
}

TEST(Jwt, ForeignTextIsRefused) {
    for (const std::string text : {"", ".", "..", "...", "a.b.c", "Bearer x"})
        EXPECT_EQ(verify_jwt(text, kKey, kNow).error(), Failure::kMalformed) << text;
    EXPECT_FALSE(accepts(std::string(100'000, 'a')));
    EXPECT_FALSE(accepts(forge(R"({"alg":"HS256"})", std::string(3000, '['))));
}

TEST(JwtDeathTest, ShortKeysEndTheProcess) {
    EXPECT_DEATH(sign_jwt({}, "short"), "");
    EXPECT_DEATH(static_cast<void>(verify_jwt("a.b.c", "short", kNow)), "");
}

}  // namespace
}  // namespace agentdb9::auth
