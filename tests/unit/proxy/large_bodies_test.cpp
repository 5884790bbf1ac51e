#include "proxy/large_bodies.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

TEST(LargeBodies, HaveALimitTogether) {
    LargeBodies all;
    {
        LargeBodies::Share first(all);
        LargeBodies::Share second(all);
        EXPECT_TRUE(first.grow_to(60, 100));
        EXPECT_FALSE(second.grow_to(41, 100));
        EXPECT_TRUE(second.grow_to(40, 100));
        EXPECT_FALSE(first.grow_to(61, 100));
        EXPECT_TRUE(first.grow_to(10, 100)) << "what it has it keeps";
        EXPECT_EQ(all.held(), 100U);
    }
    EXPECT_EQ(all.held(), 0U);
}

TEST(LargeBodies, GiveBackWhatTheyHadWhenTheyEnd) {
    LargeBodies all;
    LargeBodies::Share stays(all);
    EXPECT_TRUE(stays.grow_to(1, 100));
    for (int i = 0; i < 10; ++i) {
        LargeBodies::Share body(all);
        EXPECT_TRUE(body.grow_to(50, 100));
        EXPECT_TRUE(body.grow_to(99, 100));
        EXPECT_FALSE(body.grow_to(100, 100));
    }
    EXPECT_EQ(all.held(), 1U);
}

}  // namespace
}  // namespace agentdb9::proxy
