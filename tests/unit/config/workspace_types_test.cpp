#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/config/loading.hpp"

namespace agentdb9::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

model::WorkspaceType type_in(const Loaded& loaded, const std::string& name) {
    const auto& types = loaded.configuration.workspace_types;
    const auto found = std::ranges::find(types, name, &model::WorkspaceType::type);
    if (found != types.end()) return *found;
    ADD_FAILURE() << "no type " << name;
    return {};
}

TEST(WorkspaceTypes, EveryFieldGoesOverTheBuiltInEntrys) {
    const auto loaded = load_text(R"([workspaceTypes.vscode]
name = "Code"
description = "An editor"
icon = "pen"
containerImage = "example/code:1"
defaultPort = 9000
command = ["--one", "two words"]
env = { A = "b" }
stripPrefix = false
homePath = "/home/me"
mcpTools = ["files"]
supportedLanguages = ["c++"]
features = ["terminal"]
[workspaceTypes.vscode.resourceLimits]
cpus = 1.5
memory = 700
memoryReservation = 300
pids = 99
[workspaceTypes.vscode.healthCheck]
enabled = false
path = "/up"
interval = 5
timeout = 6
retries = 7
)");
    const auto type = type_in(loaded, "vscode");
    EXPECT_EQ(type.name, "Code");
    EXPECT_EQ(type.description, "An editor");
    EXPECT_EQ(type.icon, "pen");
    EXPECT_EQ(type.container_image, "example/code:1");
    EXPECT_EQ(type.default_port, 9000);
    EXPECT_THAT(type.command.value(), ElementsAre("--one", "two words"));
    EXPECT_THAT(type.env, ElementsAre(Pair("A", "b")));
    EXPECT_FALSE(type.strip_prefix);
    EXPECT_EQ(type.home_path, "/home/me");
    EXPECT_THAT(type.mcp_tools, ElementsAre("files"));
    EXPECT_THAT(type.supported_languages, ElementsAre("c++"));
    EXPECT_THAT(type.features, ElementsAre("terminal"));
    EXPECT_EQ(
        type.resource_limits,
        (model::ResourceLimits{.cpus = 1.5, .memory_mb = 700, .memory_reservation_mb = 300, .pids = 99}));
    EXPECT_EQ(type.health_check, (model::HealthCheck{.enabled = false,
                                                     .path = "/up",
                                                     .interval = std::chrono::seconds(5),
                                                     .timeout = std::chrono::seconds(6),
                                                     .retries = 7}));
    EXPECT_EQ(shown(loaded, "workspaceTypes.vscode").value, "example/code:1 on port 9000");
    EXPECT_EQ(shown(loaded, "workspaceTypes.vscode").source, "agentdb9.toml:1");
    EXPECT_EQ(shown(loaded, "workspaceTypes.vscode.resourceLimits.memory").value, "700");
    EXPECT_EQ(shown(loaded, "workspaceTypes.vscode.resourceLimits.memory").source, "agentdb9.toml:16");
    EXPECT_EQ(shown(loaded, "workspaceTypes.notebook").source, "default");
}

TEST(WorkspaceTypes, WhatIsNotNamedStaysAsItIsBuiltIn) {
    const auto before = type_in(load_text(""), "vscode");
    const auto after =
        type_in(load_text("[workspaceTypes.vscode]\ncontainerImage = \"example/code:1\"\n"), "vscode");
    EXPECT_EQ(after.default_port, before.default_port);
    EXPECT_EQ(after.command, before.command);
    EXPECT_EQ(after.env, before.env);
    EXPECT_EQ(after.resource_limits, before.resource_limits);
    EXPECT_EQ(after.health_check, before.health_check);
}

TEST(WorkspaceTypes, AnEmptyCommandMeansNoneAndAnEmptyHomeNoHome) {
    const auto type =
        type_in(load_text("[workspaceTypes.vscode]\ncommand = []\nhomePath = \"\"\n"), "vscode");
    ASSERT_TRUE(type.command);
    EXPECT_THAT(*type.command, IsEmpty());
    EXPECT_FALSE(type.home_path);
}

TEST(WorkspaceTypes, ANameOfItsOwnMakesANewType) {
    const auto loaded =
        load_text("[workspaceTypes.r-studio]\ncontainerImage = \"rocker/rstudio\"\ndefaultPort = 8787\n");
    EXPECT_EQ(type_in(loaded, "r-studio").default_port, 8787);
    EXPECT_THAT(refusal_of("[workspaceTypes.r-studio]\ndefaultPort = 8787\n").message(),
                HasSubstr("workspaceTypes.r-studio is a new type and needs containerImage"));
}

TEST(WorkspaceTypes, WhatUsersMaySetIsBoundedByTheTypesOwnUnlessItSaysMore) {
    const auto type = type_in(load_text(R"([workspaceTypes.vscode]
resourceLimits = { shmSize = 128, ulimits = { nofile = 1024 } }
maximumLimits = { cpus = 8, memory = 9000, ulimits = { nproc = 50 } }
)"),
                              "vscode");
    EXPECT_EQ(type.resource_limits.shm_mb, 128);
    EXPECT_THAT(type.resource_limits.ulimits, ElementsAre(Pair("nofile", 1024)));
    const auto most = model::most_of(type.resource_limits, type.maximum_limits);
    EXPECT_EQ(most.cpus, 8);
    EXPECT_EQ(most.memory_mb, 9000);
    EXPECT_EQ(most.pids, 512);
    EXPECT_EQ(most.shm_mb, 128);
    EXPECT_THAT(most.ulimits, ElementsAre(Pair("nofile", 1024), Pair("nproc", 50)));
}

TEST(WorkspaceTypes, LessMemoryThanTheReservationLowersThat) {
    const auto type = type_in(load_text("[workspaceTypes.vscode.resourceLimits]\nmemory = 64\n"), "vscode");
    EXPECT_EQ(type.resource_limits.memory_mb, 64);
    EXPECT_LE(type.resource_limits.memory_reservation_mb, 64);
}

TEST(WorkspaceTypes, MistakesNameTheKeyAndTheLine) {
    const std::vector<std::pair<std::string, std::string>> all{
        {"containerImge = \"x\"", "containerImge is not a known key, did you mean 'containerImage'?"},
        {"containerImage = 3", "containerImage must be a text"},
        {"defaultPort = 0", "defaultPort must be a number from 1 to 65535"},
        {"defaultPort = \"80\"", "defaultPort must be a number from 1 to 65535"},
        {"defaultPort = 80.5", "defaultPort must be a number from 1 to 65535"},
        {"command = \"--one\"", "command must be a list of texts"},
        {"command = [1]", "command must be a list of texts"},
        {"env = [\"A=b\"]", "env must be a table of texts"},
        {"env = { A = 1 }", "env.A must be a text"},
        {"stripPrefix = 1", "stripPrefix must be true or false"},
        {"homePath = \"home\"", "homePath must be an absolute path other than /workspace"},
        {"homePath = \"/workspace\"", "homePath must be an absolute path other than /workspace"},
        {"features = [1]", "features must be a list of texts"},
        {"resourceLimits = 1", "resourceLimits must be a table"},
        {"resourceLimits = { memory = 1 }", "resourceLimits.memory must be a number from 6"},
        {"resourceLimits = { cpus = 0 }", "resourceLimits.cpus must be a number from 0.01"},
        {"resourceLimits = { pid = 1 }", "resourceLimits.pid is not a known key, did you mean 'pids'?"},
        {"resourceLimits = { shmSize = 0 }", "resourceLimits.shmSize must be a number from 1"},
        {"resourceLimits = { ulimits = { rtprio = 1 } }", "ulimits.rtprio is not the name of a limit"},
        {"resourceLimits = { ulimits = { nofile = -1 } }", "ulimits.nofile must be a whole number from 0"},
        {"resourceLimits = { ulimits = 1 }", "ulimits must be a table"},
        {"maximumLimits = 1", "maximumLimits must be a table"},
        {"maximumLimits = { cpus = 1.9 }", "maximumLimits.cpus must be a number from 2 to 1024"},
        {"maximumLimits = { memory = 2047 }", "maximumLimits.memory must be a number from 2048"},
        {"maximumLimits = { pid = 1 }", "maximumLimits.pid is not a known key"},
        {"maximumLimits = { ulimits = { nofile = 8 } }\nresourceLimits = { ulimits = { nofile = 9 } }",
         "ulimits.nofile must not be below the type's own, 9"},
        {"healthCheck = { path = \"up\" }", "healthCheck.path must start with /"},
        {"healthCheck = { interval = 0 }", "healthCheck.interval must be a number from 1 to 86400"},
        {"healthCheck = { retries = \"3\" }", "healthCheck.retries must be a number from 1 to 100"},
    };
    for (const auto& [line, problem] : all) {
        EXPECT_THAT(refusal_of("[workspaceTypes.vscode]\n" + line + "\n").message(),
                    testing::MatchesRegex("The configuration has mistakes:\n  agentdb9.toml:[12]: "
                                          "workspaceTypes\\.vscode\\..*"))
            << line;
        EXPECT_THAT(refusal_of("[workspaceTypes.vscode]\n" + line + "\n").message(), HasSubstr(problem))
            << line;
    }
    EXPECT_THAT(refusal_of("[workspaceTypes.\"VS Code\"]\ncontainerImage = \"x\"\n").message(),
                HasSubstr("must be named with lower-case letters"));
    EXPECT_THAT(refusal_of("[workspaceTypes]\nvscode = 3\n").message(),
                HasSubstr("workspaceTypes.vscode must be a table"));
}

}  // namespace
}  // namespace agentdb9::config
