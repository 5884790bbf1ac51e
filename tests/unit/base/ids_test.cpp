#include "base/ids.hpp"

#include <gtest/gtest.h>

namespace agentdb9::base {
namespace {

TEST(Ids, GeneratedOnesAreDistinctAndParse) {
    const auto a = WorkspaceId::generate();
    const auto b = WorkspaceId::generate();
    EXPECT_NE(a, b);
    EXPECT_EQ(WorkspaceId::parse(a.view()), a);
    EXPECT_EQ(a.view()[14], '4');
}

TEST(Ids, UpperCaseIsReadAsLowerCase) {
    const auto id = UserId::parse("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->view(), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
}

TEST(Ids, WhatIsNoUuidIsRefused) {
    for (const char* text :
         {"", "x", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
          "a0eebc999c0b-4ef8-bb6d-6bb9bd380a11-", "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
          "../../../../etc/passwd/aaaaaaaaaaaaa"}) {
        EXPECT_FALSE(UserId::parse(text)) << text;
    }
}

}  // namespace
}  // namespace agentdb9::base
