#include "cli/client/settings_body.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace agentdb9::cli::client {
namespace {

using testing::ElementsAre;

json::object body(const SettingOptions& options, const json::value& present = nullptr) {
    return settings_body(options, "Europe/Berlin", present);
}

TEST(SettingsBody, HasOnlyWhatWasGiven) {
    EXPECT_EQ(body({.idle_stop = "60"}), (json::object{{"idleStopMinutes", 60}}));
    EXPECT_EQ(body({.idle_stop = "never"}), (json::object{{"idleStopMinutes", 0}}));
    EXPECT_EQ(body({.idle_stop = "default"}), (json::object{{"idleStopMinutes", nullptr}}));
    EXPECT_EQ(body({.wake = "on"}), (json::object{{"wakeOnRequest", true}}));
    EXPECT_EQ(body({.wake = "off"}), (json::object{{"wakeOnRequest", false}}));
}

TEST(SettingsBody, ReadsRulesOfDaysAndHours) {
    const auto schedule = body({.schedule = {"mon-wed 08:00-18:30", "sat,sun 10:00-", "daily -23:00"}});
    EXPECT_EQ(
        schedule.at("schedule"),
        (json::object{{"rules",
                       {{{"days", {"mon", "tue", "wed"}}, {"start", "08:00"}, {"stop", "18:30"}},
                        {{"days", {"sat", "sun"}}, {"start", "10:00"}},
                        {{"days", {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}, {"stop", "23:00"}}}},
                      {"zone", "Europe/Berlin"}}));
    EXPECT_EQ(body({.schedule = {"sat-mon 08:00-09:00"}, .zone = "UTC"})
                  .at("schedule")
                  .at("rules")
                  .at(0)
                  .at("days"),
              (json::array{"mon", "sat", "sun"}))
        << "over the week's end";
    EXPECT_EQ(body({.schedule = {"none"}}), (json::object{{"schedule", nullptr}}));
}

TEST(SettingsBody, TheZoneAloneLeavesTheRules) {
    const json::value present = body({.schedule = {"daily 08:00-09:00"}}).at("schedule");
    const auto changed = body({.zone = "UTC"}, present).at("schedule");
    EXPECT_EQ(changed.at("zone").as_string(), "UTC");
    EXPECT_EQ(changed.at("rules"), present.at("rules"));
    EXPECT_THROW(body({.zone = "UTC"}), base::Error) << "there are none";
}

TEST(SettingsBody, SaysWhatItCannotRead) {
    for (const auto* text :
         {"", "daily", "daily 08:00", "daily -", "daily 8:00-9:00", "daily 24:00-", "daily 08:60-",
          "someday 08:00-09:00", "mon- 08:00-09:00", "mon,,tue 08:00-09:00", "daily 08:00-09:00-10:00"})
        EXPECT_THROW(body({.schedule = {text}}), base::Error) << text;
    for (const auto* text : {"", "soon", "-1", "0", "1.5", "60m"})
        EXPECT_THROW(body({.idle_stop = text}), base::Error) << text;
    EXPECT_THROW(body({.schedule = {"none", "daily 08:00-"}}), base::Error);
}

TEST(SettingsBody, RulesAreShownAsTheyAreTaken) {
    for (const std::string text : {"mon-fri 08:00-18:30", "sat,sun 10:00-", "daily -23:00"}) {
        const auto schedule = body({.schedule = {text}}).at("schedule").as_object();
        EXPECT_THAT(schedule_texts(schedule), ElementsAre(text));
    }
}

}  // namespace
}  // namespace agentdb9::cli::client
