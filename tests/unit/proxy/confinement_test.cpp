#include "proxy/confinement.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

const Confinement kStripped{"/w/8080", true, false};
const Confinement kKept{"/w/8080", false, false};

TEST(ConfinedPath, IsWithinThePrefix) {
    EXPECT_EQ(confined_path("/", kStripped), "/w/8080/");
    EXPECT_EQ(confined_path("/a/b", kStripped), "/w/8080/a/b");
    EXPECT_EQ(confined_path("/w/8080/a", kStripped), "/w/8080/a");
    EXPECT_EQ(confined_path("/w/8080", kStripped), "/w/8080");
    EXPECT_EQ(confined_path("/w/80801", kStripped), "/w/8080/w/80801");
    EXPECT_EQ(confined_path("/w/8080/a", kKept), "/w/8080/a");
    EXPECT_EQ(confined_path("/", kKept), "/w/8080/");
    EXPECT_EQ(confined_path("/w/80801/a", kKept), "/w/8080/");
    EXPECT_EQ(confined_path("", kStripped), "/w/8080/");
    EXPECT_EQ(confined_path("a", kStripped), "/w/8080/");
    EXPECT_EQ(confined_path("http://evil/", kStripped), "/w/8080/");
    EXPECT_EQ(confined_path("//evil/", kKept), "/w/8080/");
}

TEST(ConfinedPath, ABrowserCannotClimbOutOfIt) {
    for (const char* path : {"/..", "/../..", "/w/8080/..", "/w/8080/../", "/w/8080/../../", "/a/../../..",
                             "/%2e%2e/", "/w/8080/%2E%2e/", "/w/8080/.%2e/", "/w/8080/%2E./x", "/w/8080/..\\",
                             "/w/8080\\..\\", "/w/8080/.\t./", "/\\evil"}) {
        EXPECT_EQ(confined_path(path, kStripped), "/w/8080/") << path;
        EXPECT_EQ(confined_path(path, kKept), "/w/8080/") << path;
    }
}

TEST(ConfinedCookie, GetsThePrefixAsItsPath) {
    EXPECT_EQ(confined_cookie("a=b", kStripped), "a=b; Path=/w/8080/");
    EXPECT_EQ(confined_cookie("a=b; Path=/", kStripped), "a=b; Path=/w/8080/");
    EXPECT_EQ(confined_cookie("a=b; path=/x; HttpOnly", kStripped), "a=b; HttpOnly; Path=/w/8080/x");
    EXPECT_EQ(confined_cookie("a=b; Path=/w/8080/x", kKept), "a=b; Path=/w/8080/x");
    EXPECT_EQ(confined_cookie("a=b;Path=/other/8080/", kKept), "a=b; Path=/w/8080/");
    EXPECT_EQ(confined_cookie("a=b; Path", kStripped), "a=b; Path=/w/8080/");
    EXPECT_EQ(confined_cookie("a=b; Path=/x; Path=/y", kStripped), "a=b; Path=/w/8080/y");
    EXPECT_EQ(confined_cookie("a=b; Path=/w/8080/../", kStripped), "a=b; Path=/w/8080/");
    EXPECT_EQ(confined_cookie("a=b=c; PATH = /x ;Secure;; SameSite=None", kStripped),
              "a=b=c; Secure; SameSite=None; Path=/w/8080/x");
}

TEST(ConfinedCookie, LosesItsDomain) {
    EXPECT_EQ(confined_cookie("a=b; Domain=.example.org; Max-Age=3", kStripped),
              "a=b; Max-Age=3; Path=/w/8080/");
    EXPECT_EQ(confined_cookie("a=b; DOMAIN =x;domain", kStripped), "a=b; Path=/w/8080/");
}

TEST(ConfinedCookie, NamesThatAreOursAreNotTheApplications) {
    for (const char* cookie :
         {"agentdb9_app=x", "agentdb9_anything=x", "AgentDB9_App=x", " agentdb9_app=x", "agentdb9_app",
          "\tagentdb9_app = x", "__Secure-agentdb9_app=x", "__secure-Agentdb9_app=x", "__Host-agentdb9_app=x",
          // Without a name: the browser sends the bare value back.
          "=agentdb9_app=x", "= agentdb9_app=x", "==agentdb9_app=x", " =agentdb9_app"})
        EXPECT_FALSE(confined_cookie(cookie, kStripped)) << cookie;
    EXPECT_TRUE(confined_cookie("x_agentdb9_app=1", kStripped));
    EXPECT_TRUE(confined_cookie("a=agentdb9_app=1", kStripped));
}

TEST(ConfinedCookie, ACookieForTheWholeOriginIsDropped) {
    for (const char* cookie :
         {"__Host-a=b; Path=/; Secure", "__host-a=b", "__Host-Http-a=b", "=__Host-a=b", "__Host-=b"})
        EXPECT_FALSE(confined_cookie(cookie, kStripped)) << cookie;
    EXPECT_EQ(confined_cookie("__Secure-a=b; Secure", kStripped), "__Secure-a=b; Secure; Path=/w/8080/");
}

TEST(ConfinedCookie, NothingIsMadeOfNothing) {
    for (const char* cookie : {"", ";", " ; Path=/", "=", "= ; a=b"})
        EXPECT_FALSE(confined_cookie(cookie, kStripped)) << cookie;
}

TEST(OwnOrigin, CookiesKeepTheirPathAndAreForThisHostOnly) {
    const Confinement own{"", true, false, true};
    EXPECT_EQ(confined_cookie("a=b", own), "a=b");
    EXPECT_EQ(confined_cookie("a=b; Path=/x; HttpOnly", own), "a=b; HttpOnly; Path=/x");
    EXPECT_EQ(confined_cookie("a=b; Domain=apps.example.org; Path=/", own), "a=b; Path=/");
    EXPECT_EQ(confined_cookie("__Host-a=b; Path=/; Secure", own), "__Host-a=b; Secure; Path=/");
    for (const char* ours :
         {"agentdb9_app=x", "__Host-agentdb9_app=x; Path=/; Secure", "AGENTDB9_link=x", "=agentdb9_app=x"})
        EXPECT_FALSE(confined_cookie(ours, own)) << ours;
    EXPECT_TRUE(is_kept_from_clients("Strict-Transport-Security", own));
    EXPECT_TRUE(is_kept_from_clients("Clear-Site-Data", own));
}

}  // namespace
}  // namespace agentdb9::proxy
