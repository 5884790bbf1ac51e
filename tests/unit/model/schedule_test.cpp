#include "model/schedule.hpp"

#include <gtest/gtest.h>

namespace agentdb9::model {
namespace {

using namespace std::chrono_literals;

base::Time at(std::string_view text) {
    return *base::parse_time(text);
}

Schedule schedule(std::string_view text) {
    std::string problem;
    auto read = read_schedule(json::parse(text).as_object(), problem);
    EXPECT_EQ(problem, "");
    return read.value_or(Schedule());
}

const auto kOffice = R"({"zone": "Europe/Berlin", "rules": [
    {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "stop": "18:30"}]})";
const auto kNights = R"({"zone": "Europe/Berlin", "rules": [
    {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "02:30"}]})";

TEST(Schedule, IsReadAndWrittenAsItIs) {
    const auto office = schedule(kOffice);
    EXPECT_EQ(office.zone, "Europe/Berlin");
    ASSERT_EQ(office.rules.size(), 1U);
    EXPECT_EQ(office.rules.front(), (ScheduleRule{0b0011111, 8h, 18h + 30min}));
    EXPECT_EQ(schedule(json::serialize(to_json(office))), office);
}

TEST(Schedule, SaysWhatIsWrongWithIt) {
    const auto problem_of = [](std::string_view text) {
        std::string problem;
        EXPECT_FALSE(read_schedule(json::parse(text).as_object(), problem)) << text;
        return problem;
    };
    EXPECT_EQ(problem_of(R"({"zone": "Europe/Berlin", "rules": []})"), "needs rules");
    EXPECT_EQ(problem_of(R"({"zone": "Mars/Olympus", "rules": [{"days": ["mon"], "start": "08:00"}]})"),
              "needs a zone that is known here, like Europe/Berlin or UTC");
    EXPECT_EQ(problem_of(R"({"zone": "../../etc/passwd", "rules": [{"days": ["mon"], "start": "08:00"}]})"),
              "needs a zone that is known here, like Europe/Berlin or UTC");
    EXPECT_EQ(problem_of(R"({"zone": 7})"), "must have a zone (a text) and rules (a list), and nothing else");
    EXPECT_EQ(problem_of(R"({"zone": "UTC", "more": 1})"),
              "must have a zone (a text) and rules (a list), and nothing else");
    for (const auto* rule :
         {R"([7])", R"([{}])", R"([{"days": []}])", R"([{"days": ["mon"]}])",
          R"([{"days": "mon", "start": "08:00"}])", R"([{"days": ["monday"], "start": "08:00"}])",
          R"([{"days": ["mon"], "start": "8:00"}])", R"([{"days": ["mon"], "start": "24:00"}])",
          R"([{"days": ["mon"], "start": "08:60"}])", R"([{"days": ["mon"], "start": "ab:cd"}])",
          R"([{"days": ["mon"], "start": 8}])", R"([{"days": ["mon"], "start": "08:00", "end": "09:00"}])"})
        EXPECT_NE(problem_of(R"({"zone": "UTC", "rules": )" + std::string(rule) + "}"), "");
}

TEST(Schedule, TellsTheLastAndTheNextChange) {
    const auto office = schedule(kOffice);
    // A Wednesday in winter: Berlin is an hour ahead.
    EXPECT_EQ(last_change(office, at("2027-01-13T06:00:00Z"), at("2027-01-13T07:00:00Z")),
              (ScheduledChange{true, at("2027-01-13T07:00:00Z")}));
    EXPECT_FALSE(last_change(office, at("2027-01-13T07:00:00Z"), at("2027-01-13T07:00:00Z")));
    EXPECT_FALSE(last_change(office, at("2027-01-13T07:00:00Z"), at("2027-01-13T17:29:59Z")));
    EXPECT_EQ(last_change(office, at("2027-01-13T06:00:00Z"), at("2027-01-13T20:00:00Z")),
              (ScheduledChange{false, at("2027-01-13T17:30:00Z")}))
        << "only the last counts where the server was away";
    // Over the weekend, and over months.
    EXPECT_EQ(last_change(office, at("2026-01-01T00:00:00Z"), at("2027-01-17T12:00:00Z")),
              (ScheduledChange{false, at("2027-01-15T17:30:00Z")}));
    EXPECT_EQ(next_change(office, at("2027-01-15T12:00:00Z"), true), at("2027-01-18T07:00:00Z"));
    EXPECT_EQ(next_change(office, at("2027-01-15T12:00:00Z"), false), at("2027-01-15T17:30:00Z"));
    EXPECT_FALSE(next_change(schedule(kNights), at("2027-01-15T12:00:00Z"), false)) << "it never stops";
    EXPECT_FALSE(last_change({.zone = "Gone/Away", .rules = office.rules}, at("2027-01-13T00:00:00Z"),
                             at("2027-01-14T00:00:00Z")));
}

TEST(Schedule, FollowsTheClocksIntoSummerAndBack) {
    const auto office = schedule(kOffice);
    // 28 March 2027, 02:00 → 03:00; 31 October 2027, 03:00 → 02:00.
    EXPECT_EQ(next_change(office, at("2027-03-26T12:00:00Z"), true), at("2027-03-29T06:00:00Z"));
    EXPECT_EQ(next_change(office, at("2027-10-29T12:00:00Z"), true), at("2027-11-01T07:00:00Z"));
    const auto nights = schedule(kNights);
    // 02:30 does not exist: when the clocks go forward. The day after it does again.
    EXPECT_EQ(next_change(nights, at("2027-03-27T12:00:00Z"), true), at("2027-03-28T01:00:00Z"));
    EXPECT_EQ(next_change(nights, at("2027-03-28T01:00:00Z"), true), at("2027-03-29T00:30:00Z"));
    // 02:30 comes twice: the first counts, once.
    EXPECT_EQ(next_change(nights, at("2027-10-30T12:00:00Z"), true), at("2027-10-31T00:30:00Z"));
    EXPECT_EQ(next_change(nights, at("2027-10-31T00:30:00Z"), true), at("2027-11-01T01:30:00Z"));
    EXPECT_FALSE(last_change(nights, at("2027-10-31T00:30:00Z"), at("2027-10-31T12:00:00Z")));
}

TEST(Schedule, KnowsZonesFarFromTheServers) {
    const auto far = schedule(
        R"({"zone": "Pacific/Auckland", "rules": [{"days": ["mon"], "start": "00:05", "stop": "23:55"}]})");
    EXPECT_EQ(next_change(far, at("2027-07-03T00:00:00Z"), true), at("2027-07-04T12:05:00Z"));
    EXPECT_EQ(next_change(far, at("2027-07-03T00:00:00Z"), false), at("2027-07-05T11:55:00Z"));
}

}  // namespace
}  // namespace agentdb9::model
