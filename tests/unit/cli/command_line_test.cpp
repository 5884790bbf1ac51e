#include "cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/context.hpp"

namespace agentdb9::cli {
namespace {

using testing::HasSubstr;

struct Ran {
    int code = 0;
    std::string output;
    std::string errors;
};

Ran run_with(std::vector<std::string> words) {
    words.insert(words.begin(), "agentdb9");
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Ran ran{.code = run(static_cast<int>(arguments.size()), arguments.data()), .output = {}, .errors = {}};
    ran.output = testing::internal::GetCapturedStdout();
    ran.errors = testing::internal::GetCapturedStderr();
    return ran;
}

TEST(CommandLine, WithoutACommandSaysHowToAskForHelp) {
    const auto ran = run_with({});
    EXPECT_EQ(ran.code, kExitUsage);
    EXPECT_THAT(ran.errors, HasSubstr("--help"));
}

TEST(CommandLine, MistakesOfUseAreToldAndExitWithTwo) {
    const std::vector<std::vector<std::string>> all{
        {"sevre"},
        {"serve", "--lisen", "127.0.0.1:0"},
        {"serve", "--listen"},
        {"serve", "extra"},
        {"user"},
        {"user", "remove", "x"},
        {"user", "show"},
        {"user", "show", ""},
        {"user", "set-role", "a@b.c", "root"},
        {"user", "set-role", "a@b.c"},
        {"user", "add"},
        {"user", "add", "a@b.c", "--password", "secret12345"},
        {"user", "list", "--timeout", "0"},
        {"volumes", "restore"},
        {"volumes", "purge", ""},
        {"version", "--yaml"},
        {"login", "--password", "secret12345"},
        {"login", "--token", "adb9_x"},
        {"login", "--password-stdin", "--token-stdin"},
        {"login", "ftp://work.example.org"},
        {"projects"},
        {"projects", "create"},
        {"projects", "show", ""},
        {"workspaces", "create", "name"},
        {"workspaces", "start"},
        {"workspaces", "switch", "one"},
        {"workspaces", "open", "one", "--port", "0"},
        {"workspaces", "list", "--timeout", "0"},
        {"token", "create"},
        {"token", "revoke"},
        {"completion"},
        {"completion", "tcsh"},
    };
    for (const auto& words : all) {
        const auto ran = run_with(words);
        EXPECT_EQ(ran.code, kExitUsage) << testing::PrintToString(words);
        EXPECT_FALSE(ran.errors.empty()) << testing::PrintToString(words);
    }
}

TEST(CommandLine, EveryCommandHasHelpOnStandardOutput) {
    const std::vector<std::vector<std::string>> all{
        {},
        {"serve"},
        {"migrate"},
        {"config"},
        {"doctor"},
        {"version"},
        {"user"},
        {"user", "list"},
        {"user", "add"},
        {"user", "show"},
        {"user", "set-role"},
        {"user", "disable"},
        {"user", "enable"},
        {"user", "reset-password"},
        {"volumes"},
        {"volumes", "list"},
        {"volumes", "restore"},
        {"volumes", "purge"},
        {"volumes", "cleanup"},
        {"volumes", "resume"},
        {"login"},
        {"logout"},
        {"whoami"},
        {"projects"},
        {"projects", "create"},
        {"workspaces"},
        {"ws"},
        {"ws", "start"},
        {"ws", "rm"},
        {"token"},
        {"token", "create"},
        {"completion"},
        {"man"},
    };
    for (auto words : all) {
        words.push_back("--help");
        const auto ran = run_with(words);
        EXPECT_EQ(ran.code, kExitOk) << testing::PrintToString(words);
        EXPECT_THAT(ran.output, HasSubstr("Usage:")) << testing::PrintToString(words);
        EXPECT_EQ(ran.errors, "");
    }
}

TEST(CommandLine, ConfigurationMistakesExitWithTwoToo) {
    const auto ran = run_with({"config", "--config", "/nowhere/agentdb9.toml"});
    EXPECT_EQ(ran.code, kExitUsage);
    EXPECT_THAT(ran.errors, HasSubstr("/nowhere/agentdb9.toml is not there"));
    EXPECT_EQ(ran.output, "");
    EXPECT_EQ(run_with({"serve", "--listen", "nowhere"}).code, kExitUsage);
}

TEST(CommandLine, ADataDirectoryWithoutAnInstallationIsNotFound) {
    const auto ran = run_with({"user", "list", "--data-dir", "/nowhere/at/all"});
    EXPECT_EQ(ran.code, kExitNotFound);
    EXPECT_THAT(ran.errors, HasSubstr("No installation is found in /nowhere/at/all"));
}

}  // namespace
}  // namespace agentdb9::cli
