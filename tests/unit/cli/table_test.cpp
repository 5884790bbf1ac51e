#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace agentdb9::cli {
namespace {

TEST(Table, AlignsColumnsAndLeavesNothingBehindARow) {
    Table table({"NAME", "STATE"});
    table.add({"a", "active"});
    table.add({"longer", "disabled"});
    EXPECT_EQ(table.text(), "NAME    STATE\na       active\nlonger  disabled\n");
}

TEST(Table, CountsCharactersNotBytes) {
    Table table({"A", "B"});
    table.add({"Zoë", "1"});
    table.add({"four", "2"});
    EXPECT_EQ(table.text(), "A     B\nZoë   1\nfour  2\n");
}

TEST(Table, IsEmptyWithItsHeaderAlone) {
    Table table({"A"});
    EXPECT_TRUE(table.empty());
    EXPECT_EQ(table.text(), "A\n");
    table.add({""});
    EXPECT_FALSE(table.empty());
}

}  // namespace
}  // namespace agentdb9::cli
