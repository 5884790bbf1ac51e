#include "proxy/door.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

const std::string kId = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
const std::vector<Rewrite> kRewrites{{"/vscode", "vscode", std::nullopt},
                                     {"/vscode/fixed", {}, model::Endpoint{"127.0.0.1", 80}},
                                     {"/sheet", "spreadsheet", std::nullopt}};

std::optional<Door> at(Origin origin, std::string_view path) {
    return find_door(origin, path, kRewrites);
}

TEST(Door, TheProxyOfAWorkspace) {
    const auto path = "/api/workspaces/" + kId + "/proxy/a//b/";
    auto door = at(Origin::kApi, path);
    ASSERT_TRUE(door);
    EXPECT_EQ(door->workspace, kId);
    EXPECT_FALSE(door->port);
    EXPECT_EQ(door->prefix, "/api/workspaces/" + kId + "/proxy");
    EXPECT_EQ(door->rest, "/a//b/");
    const auto bare = "/api/workspaces/" + kId + "/proxy";
    EXPECT_EQ(at(Origin::kApi, bare)->rest, "");
}

TEST(Door, AnyOtherPortOfAWorkspace) {
    const auto path = "/api/workspaces/" + kId + "/ports/3000/x";
    auto door = at(Origin::kApi, path);
    ASSERT_TRUE(door);
    EXPECT_EQ(door->port, "3000");
    EXPECT_EQ(door->prefix, "/api/workspaces/" + kId + "/ports/3000");
    EXPECT_EQ(door->rest, "/x");
    const auto none = "/api/workspaces/" + kId + "/ports";
    EXPECT_FALSE(at(Origin::kApi, none));
}

TEST(Door, TheAliasOfTheProxy) {
    const auto path = "/workspace-proxy/" + kId + "/x";
    auto door = at(Origin::kApi, path);
    ASSERT_TRUE(door);
    EXPECT_EQ(door->prefix, "/workspace-proxy/" + kId);
    EXPECT_EQ(door->rest, "/x");
    EXPECT_FALSE(at(Origin::kApi, "/workspace-proxy/"));
    EXPECT_FALSE(at(Origin::kApi, "/workspace-proxy"));
    EXPECT_FALSE(at(Origin::kApi, "/workspace-proxyx/" + kId));
}

TEST(Door, AllElseOnTheApisOriginIsTheApi) {
    for (const char* path :
         {"/", "*", "/api/workspaces", "/api/workspaces/", "/api/workspaces/x", "/api/workspaces/x/proxyy",
          "/api/workspaces/x/%70roxy/", "/api/workspacesx/y/proxy/", "/api//workspaces/x/proxy",
          "/api/projects/x/proxy/", "/api/workspaces/x/Proxy/"})
        EXPECT_FALSE(at(Origin::kApi, path)) << path;
}

TEST(Door, AMalformedIdIsTheGatewaysToRefuse) {
    EXPECT_EQ(at(Origin::kApi, "/api/workspaces/x/proxy/")->workspace, "x");
    EXPECT_EQ(at(Origin::kApi, "/api/workspaces//proxy/")->workspace, "");
    EXPECT_EQ(at(Origin::kApi, "/api/workspaces/../proxy/")->workspace, "..");
}

TEST(Door, DotSegmentsBehindADoorStayBehindIt) {
    const auto path = "/api/workspaces/" + kId + "/proxy/../../other/proxy/";
    auto door = at(Origin::kApi, path);
    ASSERT_TRUE(door);
    EXPECT_EQ(door->workspace, kId);
    EXPECT_EQ(door->rest, "/../../other/proxy/");
}

TEST(Door, RewritesMatchWholeSegmentsAndTheLongestWins) {
    EXPECT_EQ(at(Origin::kApi, "/vscode/a")->rewrite, &kRewrites[0]);
    EXPECT_EQ(at(Origin::kApi, "/vscode/a")->rest, "/a");
    EXPECT_EQ(at(Origin::kApi, "/vscode")->rest, "");
    EXPECT_EQ(at(Origin::kApi, "/vscode/fixed/a")->rewrite, &kRewrites[1]);
    EXPECT_EQ(at(Origin::kApi, "/vscode/fixeda")->rewrite, &kRewrites[0]);
    EXPECT_FALSE(at(Origin::kApi, "/vscodex/"));
    EXPECT_FALSE(at(Origin::kApi, "//vscode/"));
}

TEST(Door, OnTheApplicationsOriginThereAreOnlyApplications) {
    const auto path = "/" + kId + "/8080/x";
    auto door = at(Origin::kApplications, path);
    ASSERT_TRUE(door);
    EXPECT_EQ(door->workspace, kId);
    EXPECT_EQ(door->port, "8080");
    EXPECT_EQ(door->prefix, "/" + kId + "/8080");
    EXPECT_EQ(door->rest, "/x");
    for (const std::string& other :
         {"/" + kId, std::string("/x/8080/"), "//" + kId + "/8080/", std::string("/vscode/"),
          std::string("/"), "/api/workspaces/" + kId + "/proxy/", "/%61" + kId.substr(1) + "/8080/"})
        EXPECT_FALSE(at(Origin::kApplications, other)) << other;
}

TEST(Door, TheOperatorsSocketHasNone) {
    EXPECT_FALSE(at(Origin::kOperator, "/api/workspaces/" + kId + "/proxy/"));
    EXPECT_FALSE(at(Origin::kOperator, "/vscode/"));
}

TEST(Door, PortsAreDecimalNumbers) {
    EXPECT_EQ(parse_port("1"), 1);
    EXPECT_EQ(parse_port("65535"), 65535);
    for (const char* text :
         {"", "0", "65536", "080", "+80", "-1", "8080 ", " 8080", "80a", "0x50", "99999999999999", "8.0"})
        EXPECT_FALSE(parse_port(text)) << text;
}

}  // namespace
}  // namespace agentdb9::proxy
