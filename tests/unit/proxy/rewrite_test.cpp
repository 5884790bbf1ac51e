#include <gtest/gtest.h>

#include "proxy/door.hpp"

namespace agentdb9::proxy {
namespace {

TEST(Rewrite, NamesATypeOrAFixedUpstream) {
    auto type = parse_rewrite("/vscode", "vscode");
    ASSERT_TRUE(type);
    EXPECT_EQ(type->prefix, "/vscode");
    EXPECT_EQ(type->type, "vscode");
    EXPECT_FALSE(type->upstream);
    auto fixed = parse_rewrite("/x/y", "http://127.0.0.1:8080");
    ASSERT_TRUE(fixed);
    EXPECT_EQ(fixed->upstream, (model::Endpoint{"127.0.0.1", 8080}));
    EXPECT_EQ(parse_rewrite("/x", "http://name/")->upstream, (model::Endpoint{"name", 80}));
    EXPECT_EQ(parse_rewrite("/x", "http://[::1]:81")->upstream, (model::Endpoint{"::1", 81}));
    EXPECT_EQ(parse_rewrite("/x", "http://[::1]")->upstream, (model::Endpoint{"::1", 80}));
}

TEST(Rewrite, AllElseIsRefusedWithASentence) {
    for (const char* prefix : {"", "/", "x", "/x/", "/x?y", "/x#y"})
        EXPECT_FALSE(parse_rewrite(prefix, "vscode")) << prefix;
    for (const char* value :
         {"", "https://a:1", "http://", "http://:80", "http://a:0", "http://a:x", "http://a/b",
          "http://u@a:80", "http://a:80?x", "vs/code", "a:b", "http://a b", "http://[]:1"})
        EXPECT_FALSE(parse_rewrite("/x", value)) << value;
}

}  // namespace
}  // namespace agentdb9::proxy
