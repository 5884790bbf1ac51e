#include "model/workspace_type.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace agentdb9::model {
namespace {

TEST(WorkspaceTypes, AProjectWithoutATypeFitsEverywhereOneWithATypeThereOnly) {
    for (const auto& type : built_in_types()) {
        EXPECT_TRUE(is_compatible(std::nullopt, type.type));
        for (const auto& other : built_in_types())
            EXPECT_EQ(is_compatible(other.type, type.type), other.type == type.type);
    }
    EXPECT_FALSE(is_compatible("", "vscode"));
    EXPECT_FALSE(is_compatible("VSCODE", "vscode"));
}

TEST(WorkspaceTypes, TheBuiltInOnesHaveThePortsThatClientsKnow) {
    std::map<std::string, int> ports;
    for (const auto& type : built_in_types())
        ports[type.type] = type.default_port;
    EXPECT_EQ(ports, (std::map<std::string, int>{{"vscode", 8080},
                                                 {"spreadsheet", 8081},
                                                 {"notebook", 8888},
                                                 {"database", 8082},
                                                 {"design", 8083}}));
}

TEST(WorkspaceTypes, EveryBuiltInOneIsWhole) {
    for (const auto& type : built_in_types()) {
        EXPECT_FALSE(type.name.empty()) << type.type;
        EXPECT_FALSE(type.container_image.empty()) << type.type;
        EXPECT_GT(type.resource_limits.memory_mb, type.resource_limits.memory_reservation_mb) << type.type;
        EXPECT_EQ(type.resource_limits.pids, 512) << type.type;
        EXPECT_TRUE(type.health_check.path.starts_with('/')) << type.type;
        if (type.home_path) EXPECT_TRUE(type.home_path->starts_with('/')) << type.type;
    }
}

TEST(Catalogue, FindsByExactName) {
    const Catalogue catalogue(built_in_types());
    ASSERT_NE(catalogue.find("notebook"), nullptr);
    EXPECT_EQ(catalogue.find("notebook")->default_port, 8888);
    EXPECT_EQ(catalogue.find("note"), nullptr);
    EXPECT_EQ(catalogue.find(""), nullptr);
}

}  // namespace
}  // namespace agentdb9::model
