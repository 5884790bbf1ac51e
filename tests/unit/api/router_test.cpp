#include "api/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

using Kind = Router::Match::Kind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Handler answer() {
    return [](Call&) -> Task<http::Response> { co_return no_content(); };
}

class RouterTest : public testing::Test {
  protected:
    RouterTest() {
        router_.add("GET", "/", Access::kPublic, answer());
        router_.add("GET", "/api/workspaces", Access::kUser, answer());
        router_.add("POST", "/api/workspaces", Access::kUser, answer());
        router_.add("GET", "/api/workspaces/stats", Access::kUser, answer());
        router_.add("GET", "/api/workspaces/:id", Access::kUser, answer());
        router_.add("PUT", "/api/workspaces/:id", Access::kUser, answer());
        router_.add("POST", "/api/workspaces/:id/start", Access::kUser, answer());
        router_.add("GET", "/api/workspaces/type/:type", Access::kUser, answer());
        router_.add("POST", "/api/workspaces/projects/:projectId/backup", Access::kUser, answer());
    }
    std::string pattern(std::string_view method, std::string_view path) const {
        const auto match = router_.match(method, path);
        return match.kind == Kind::kFound ? match.endpoint->pattern : "";
    }
    Router router_;
};

TEST_F(RouterTest, LiteralWinsOverParameter) {
    EXPECT_EQ(pattern("GET", "/api/workspaces/stats"), "/api/workspaces/stats");
    EXPECT_EQ(pattern("GET", "/api/workspaces/other"), "/api/workspaces/:id");
}

TEST_F(RouterTest, GoesBackToTheParameterWhereTheLiteralLeadsNowhere) {
    EXPECT_EQ(pattern("POST", "/api/workspaces/stats/start"), "/api/workspaces/:id/start");
    EXPECT_EQ(pattern("POST", "/api/workspaces/projects/start"), "/api/workspaces/:id/start");
}

TEST_F(RouterTest, ParametersAreDecodedAndNamedAsInThePattern) {
    const auto match = router_.match("POST", "/api/workspaces/a%2Fb%20c/start");
    ASSERT_EQ(match.kind, Kind::kFound);
    EXPECT_THAT(match.parameters, ElementsAre(Pair("id", "a/b c")));
    const auto other = router_.match("GET", "/api/workspaces/type/vscode");
    EXPECT_THAT(other.parameters, ElementsAre(Pair("type", "vscode")));
}

TEST_F(RouterTest, AbandonedParametersAreForgotten) {
    const auto match = router_.match("POST", "/api/workspaces/projects/p1/backup");
    ASSERT_EQ(match.kind, Kind::kFound);
    EXPECT_THAT(match.parameters, ElementsAre(Pair("projectId", "p1")));
}

TEST_F(RouterTest, OneTrailingSlashIsTolerated) {
    EXPECT_EQ(pattern("GET", "/api/workspaces/"), "/api/workspaces");
    EXPECT_EQ(pattern("GET", "/api/workspaces//"), "");
    EXPECT_EQ(pattern("GET", "/"), "/");
    EXPECT_EQ(pattern("GET", "/api//workspaces"), "");
}

TEST_F(RouterTest, KnownPathWithAnotherVerbNamesTheVerbs) {
    const auto match = router_.match("DELETE", "/api/workspaces");
    EXPECT_EQ(match.kind, Kind::kWrongMethod);
    EXPECT_EQ(match.allow, "GET, HEAD, OPTIONS, POST");
    EXPECT_EQ(router_.match("PUT", "/api/workspaces/stats").kind, Kind::kWrongMethod);
}

TEST_F(RouterTest, HeadIsServedAsGetAndOptionsTellsTheVerbs) {
    EXPECT_EQ(pattern("HEAD", "/api/workspaces"), "/api/workspaces");
    EXPECT_EQ(router_.match("HEAD", "/api/workspaces/x/start").kind, Kind::kWrongMethod);
    const auto options = router_.match("OPTIONS", "/api/workspaces/x/start");
    EXPECT_EQ(options.kind, Kind::kOptions);
    EXPECT_EQ(options.allow, "OPTIONS, POST");
}

TEST_F(RouterTest, UnknownAndMalformedPathsAreTold) {
    EXPECT_EQ(router_.match("GET", "/api/nothing").kind, Kind::kNotFound);
    EXPECT_EQ(router_.match("GET", "/api").kind, Kind::kNotFound);
    EXPECT_EQ(router_.match("OPTIONS", "/api/nothing").kind, Kind::kNotFound);
    EXPECT_EQ(router_.match("GET", "/api/workspaces/%zz").kind, Kind::kMalformed);
    EXPECT_EQ(router_.match("GET", "/api/workspaces/%2").kind, Kind::kMalformed);
}

TEST_F(RouterTest, ListsItsEndpoints) {
    EXPECT_EQ(router_.endpoints().size(), 9U);
    EXPECT_EQ(router_.endpoints().front()->pattern, "/");
}

TEST(PercentDecode, DecodesBytesAndRefusesStrayPercentSigns) {
    EXPECT_EQ(percent_decode("a%20b%c3%a4"), "a bä");
    EXPECT_EQ(percent_decode("a+b"), "a+b");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    EXPECT_EQ(percent_decode("%"), std::nullopt);
    EXPECT_EQ(percent_decode("%4"), std::nullopt);
    EXPECT_EQ(percent_decode("%g0"), std::nullopt);
}

}  // namespace
}  // namespace agentdb9::api
