// Whose login goes to which registry.
#include "runtime/docker/registry_logins.hpp"

#include <gtest/gtest.h>

#include "base/crypto.hpp"

namespace agentdb9::runtime::docker {
namespace {

TEST(RegistryOf, IsWhatStandsBeforeTheName) {
    const std::pair<const char*, const char*> cases[] = {
        {"postgres", "docker.io"},
        {"postgres:16", "docker.io"},
        {"team/image", "docker.io"},
        {"team/image:v1.2", "docker.io"},
        {"docker.io/team/image", "docker.io"},
        {"index.docker.io/team/image", "docker.io"},
        {"registry.example/image", "registry.example"},
        {"registry.example:5000/team/image:1", "registry.example:5000"},
        {"registry.example/team/image@sha256:00", "registry.example"},
        {"localhost/image", "localhost"},
        {"registry:5000/image", "registry:5000"},
        {"127.0.0.1:5000/image:1", "127.0.0.1:5000"},
    };
    for (const auto& [image, registry] : cases)
        EXPECT_EQ(registry_of(image), registry) << image;
}

// What the engine would read of it; it is strict about the padding.
json::value sent(const RegistryLogin& login) {
    std::string text = login.header;
    EXPECT_EQ(text.size() % 4, 0U) << text;
    while (text.ends_with('='))
        text.pop_back();
    return json::parse(base::base64url_decode(text).value());
}
RegistryLogin login_in_text(const char* logins, std::string_view registry) {
    return login_in(json::parse(logins).as_object(), registry);
}

TEST(RegistryLogins, AreFoundHoweverTheRegistryIsWrittenDown) {
    // "me:pass:word"
    for (const std::string key :
         {"registry.example", "https://registry.example", "https://registry.example/v1/",
          "http://registry.example/v2/", "registry.example/"}) {
        const auto text = R"({"auths": {"other.example": {"auth": "eDp5"}, ")" + key +
                          R"(": {"auth": "bWU6cGFzczp3b3Jk"}}})";
        const auto login = login_in_text(text.c_str(), "registry.example");
        EXPECT_EQ(login.trouble, "");
        const auto auth = sent(login);
        EXPECT_EQ(auth.at("username").as_string(), "me");
        EXPECT_EQ(auth.at("password").as_string(), "pass:word");
    }
    const auto hub = login_in_text(R"({"auths": {"https://index.docker.io/v1/": {"auth": "eDp5"}}})",
                                   registry_of("team/image"));
    EXPECT_EQ(sent(hub).at("username").as_string(), "x");
    // Bytes whose base64 would have the two characters that a header's base64url has not.
    const auto odd = login_in_text(R"({"auths": {"r.example": {"auth": "Pj4+Oj8/Pw=="}}})", "r.example");
    EXPECT_EQ(sent(odd).at("password").as_string(), "???");
    EXPECT_EQ(odd.header.find_first_of("+/"), std::string::npos);
}

TEST(RegistryLogins, MayBeTokens) {
    const auto login = login_in_text(
        R"({"auths": {"r.example": {"auth": "PHRva2VuPjo=", "identitytoken": "abc"}}})", "r.example");
    EXPECT_EQ(sent(login).at("identitytoken").as_string(), "abc");
    EXPECT_FALSE(sent(login).as_object().contains("password"));
}

TEST(RegistryLogins, AreNobodyElses) {
    for (const char* text :
         {R"({})", R"({"auths": {}})", R"({"auths": []})",
          R"({"auths": {"r.example:5000": {"auth": "eDp5"}}})",
          R"({"auths": {"r.example.evil": {"auth": "eDp5"}, "evil.example/r.example": {"auth": "eDp5"}}})"}) {
        const auto login = login_in_text(text, "r.example");
        EXPECT_EQ(login.header, "") << text;
        EXPECT_EQ(login.trouble, "") << text;
    }
}

TEST(RegistryLogins, SayWhyThereIsNone) {
    const auto trouble = [](const char* text) {
        const auto login = login_in_text(text, "r.example");
        EXPECT_EQ(login.header, "");
        return login.trouble;
    };
    EXPECT_NE(trouble(R"({"auths": {"r.example": {"auth": "!"}}})").find("cannot be read"),
              std::string::npos);
    EXPECT_NE(trouble(R"({"auths": {"r.example": {"auth": "bm9jb2xvbg=="}}})").find("cannot be read"),
              std::string::npos);
    EXPECT_NE(trouble(R"({"auths": {"r.example": {}}, "credsStore": "pass"})").find("docker-credential-pass"),
              std::string::npos);
    EXPECT_NE(trouble(R"({"credHelpers": {"r.example": "ecr-login"}})").find("docker-credential-ecr-login"),
              std::string::npos);
    EXPECT_EQ(trouble(R"({"credHelpers": {"another.example": "ecr-login"}})"), "");
    EXPECT_EQ(read_login("/nowhere/config.json", "r.example/image").trouble, "");
    EXPECT_NE(read_login("/dev", "r.example/image").trouble, "");
}

}  // namespace
}  // namespace agentdb9::runtime::docker
