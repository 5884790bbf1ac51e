#include "config/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "config/settings.hpp"
#include "unit/config/loading.hpp"

namespace agentdb9::config {
namespace {

// With every line that sets something in force.
std::string uncommented() {
    std::istringstream lines(default_file());
    std::string text;
    for (std::string line; std::getline(lines, line);)
        text += (line.starts_with('#') && !line.starts_with("# ") ? line.substr(1) : line) + "\n";
    return text;
}

TEST(DefaultFile, ChangesNothingAsItIs) {
    for (const auto& each : load_text(default_file()).shown)
        EXPECT_EQ(each.source, "default") << each.key;
}

TEST(DefaultFile, LoadsWithEveryLineInForce) {
    const auto loaded = load_text(uncommented());
    for (const auto& setting : settings())
        EXPECT_NE(shown(loaded, setting.key).source, "default") << setting.key;
    EXPECT_NE(shown(loaded, "workspaceTypes.vscode").source, "default");
    EXPECT_NE(shown(loaded, "rewrites./wiki").source, "default");
}

TEST(DefaultFile, ShowsDefaultsAsTheyAre) {
    const auto loaded = load_text(uncommented());
    const Configuration defaults;
    for (const auto& setting : settings()) {
        const auto fresh = setting.show(defaults);
        // Where there is no default the file has an example.
        if (fresh.empty() || fresh.starts_with('(')) continue;
        EXPECT_EQ(setting.show(loaded.configuration), fresh) << setting.key;
    }
}

TEST(DefaultFile, NamesTheEnvironmentVariableOfEverySetting) {
    for (const auto& setting : settings())
        EXPECT_THAT(default_file(), testing::HasSubstr(" " + setting.environment + "\n"));
}

}  // namespace
}  // namespace agentdb9::config
