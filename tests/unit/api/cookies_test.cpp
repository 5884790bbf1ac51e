// The page's session cookie, and those of its name that others set.
#include "api/cookies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::api {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

http::Request request_with(const std::vector<std::string>& cookies, const std::string& host = "a.test") {
    http::Request request;
    request.headers.add("Host", host);
    for (const auto& each : cookies)
        request.headers.add("Cookie", each);
    return request;
}

std::vector<std::string> cleared(const std::string& host, bool secure = false) {
    auto request = request_with({}, host);
    request.secure = secure;
    http::Response response;
    clear_refresh_cookies(response, request);
    std::vector<std::string> lines;
    for (const auto& field : response.headers)
        lines.push_back(field.name + ": " + field.value);
    return lines;
}

TEST(RefreshCookies, AllOfTheNameInTheirOrder) {
    EXPECT_THAT(refresh_cookies(request_with({"a=1; agentdb9_refresh=x;agentdb9_refresh=y",
                                              "agentdb9_refresh_=n; agentdb9_refresh=z"})),
                ElementsAre("x", "y", "z"));
    EXPECT_THAT(refresh_cookies(request_with({"agentdb9_app=x; xagentdb9_refresh=y; agentdb9_refresh"})),
                IsEmpty());
    EXPECT_THAT(refresh_cookies(request_with({})), IsEmpty());
}

TEST(RefreshCookies, AreClearedForEveryPathThatReachesTheRefresh) {
    const auto lines = cleared("127.0.0.1:8000");
    EXPECT_THAT(lines, Each(HasSubstr("Set-Cookie: agentdb9_refresh=; Max-Age=0; Path=/")));
    for (const auto* path : {"/", "/api", "/api/", "/api/auth", "/api/auth/", "/api/auth/refresh"})
        EXPECT_THAT(lines, Contains("Set-Cookie: agentdb9_refresh=; Max-Age=0; Path=" + std::string(path)));
    EXPECT_THAT(lines, Each(Not(HasSubstr("Domain"))));
    EXPECT_THAT(cleared("[::1]:8000"), Each(Not(HasSubstr("Domain"))));
    EXPECT_THAT(cleared("localhost:8000"), Each(Not(HasSubstr("Domain"))));
}

TEST(RefreshCookies, AreClearedForTheDomainsAboveTheHost) {
    const auto lines = cleared("Work.example.org:8000", true);
    EXPECT_THAT(lines, Each(HasSubstr("; Secure")));
    for (const auto* domain : {"; Domain=work.example.org", "; Domain=example.org"})
        EXPECT_THAT(lines, Contains(HasSubstr("Path=/api/auth/refresh" + std::string(domain))));
    EXPECT_THAT(lines, Each(Not(HasSubstr("Domain=org"))));
    EXPECT_LE(cleared(std::string(200, '.') + "a").size(), 60U) << "whatever Host says";
}

}  // namespace
}  // namespace agentdb9::api
