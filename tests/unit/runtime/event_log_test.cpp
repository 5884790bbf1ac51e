#include "runtime/docker/event_log.hpp"

#include <gmock/gmock.h>

#include "base/json.hpp"

namespace agentdb9::runtime::docker {
namespace {

const auto kWorkspace = *base::WorkspaceId::parse("33333333-3333-4333-8333-333333333333");
constexpr std::int64_t kAt = 1'700'000'000'000'000'000;

std::string line(std::string_view action, std::string_view id, std::int64_t at,
                 std::string_view workspace = kWorkspace.view()) {
    return json::serialize(json::object{
        {"Type", "container"},
        {"Action", action},
        {"Actor",
         json::object{{"ID", id}, {"Attributes", json::object{{"agentdb9.workspace.id", workspace}}}}},
        {"timeNano", at}});
}

TEST(EventLog, ReadsWhatHappenedToWhichInstance) {
    EventLog log;
    const auto event = log.read(line("die", "c1", kAt));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->workspace, kWorkspace);
    EXPECT_EQ(event->instance, "c1");
    EXPECT_EQ(event->kind, EventKind::kDied);
    EXPECT_EQ(log.read(line("start", "c1", kAt + 1))->kind, EventKind::kStarted);
    EXPECT_EQ(log.read(line("destroy", "c1", kAt + 2))->kind, EventKind::kRemoved);
    EXPECT_EQ(log.read(line("rename", "c1", kAt + 3))->kind, EventKind::kOther);
}

TEST(EventLog, PassesOverWhatConcernsNoInstanceOrCannotBeRead) {
    EventLog log;
    EXPECT_FALSE(log.read(line("exec_start: sh", "c1", kAt)));
    EXPECT_FALSE(log.read(line("die", "c1", kAt, "no id")));
    for (const auto* text :
         {"", "{", "null", "[]", "{}", R"({"Action":"die"})", R"({"Action":"die","Actor":{"ID":"x"}})",
          R"({"Action":7,"Actor":[],"timeNano":"x"})", "\xff\xfe"})
        EXPECT_FALSE(log.read(text)) << text;
    EXPECT_FALSE(log.since()) << "none of these moves the mark";
}

std::string with(std::string text, std::string_view name, std::string_view value) {
    auto event = json::parse(text).as_object();
    event["Actor"].as_object()["Attributes"].as_object()[name] = value;
    return json::serialize(event);
}

TEST(EventLog, TellsHowAnInstanceEnded) {
    EventLog log;
    auto death = log.read(with(line("die", "c1", kAt), "exitCode", "3"))->death;
    EXPECT_EQ(death, (Death{.exit_code = 3, .at_ns = kAt}));
    // The kernel's doing, told just before.
    log.read(line("oom", "c1", kAt + 10));
    death = log.read(with(line("die", "c1", kAt + 11), "exitCode", "137"))->death;
    EXPECT_EQ(death, (Death{.exit_code = 137, .out_of_memory = true, .at_ns = kAt + 11}));
    death = log.read(with(line("die", "c1", kAt + 12), "exitCode", "not a number"))->death;
    EXPECT_EQ(death, (Death{.at_ns = kAt + 12})) << "the signs were of the end before";
}

TEST(EventLog, AnEndThatWasAskedForIsToldApart) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    EventLog log;
    const auto asked = [&](std::string_view id, std::int64_t at) {
        return log.read(with(line("die", id, at), "exitCode", "0"))->death.asked;
    };
    log.read(line("kill", "c1", kAt));
    EXPECT_FALSE(asked("c2", kAt + kSecond)) << "another one was";
    EXPECT_TRUE(asked("c1", kAt + 10 * kSecond));
    EXPECT_FALSE(asked("c1", kAt + 11 * kSecond)) << "that was the end before";
    log.read(line("kill", "c1", kAt + 20 * kSecond));
    EXPECT_FALSE(asked("c1", kAt + 200 * kSecond)) << "a signal that it took well, long ago";
    log.read(line("kill", "c1", kAt + 201 * kSecond));
    log.read(line("start", "c1", kAt + 202 * kSecond));
    EXPECT_FALSE(asked("c1", kAt + 203 * kSecond)) << "of its life before";
}

TEST(EventLog, TellsThatTheImagesCheckSaysSomethingElse) {
    EventLog log;
    const auto event = log.read(line("health_status: unhealthy", "c1", kAt));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, EventKind::kOther);
}

TEST(EventLog, TellsNothingTwice) {
    EventLog log;
    EXPECT_TRUE(log.read(line("die", "c1", kAt)));
    EXPECT_FALSE(log.read(line("die", "c1", kAt)));
    EXPECT_TRUE(log.read(line("die", "c2", kAt))) << "another container at the same moment";
    EXPECT_TRUE(log.read(line("stop", "c1", kAt))) << "another action at the same moment";
}

TEST(EventLog, LosesNoEventThatArrivesOutOfOrder) {
    EventLog log;
    EXPECT_TRUE(log.read(line("start", "c1", kAt)));
    EXPECT_TRUE(log.read(line("die", "c2", kAt - 1)));
}

TEST(EventLog, LosesNoEventWhenTheEnginesClockIsSetBack) {
    EventLog log;
    EXPECT_TRUE(log.read(line("start", "c1", kAt)));
    const auto hour_before = kAt - 3'600'000'000'000;
    EXPECT_TRUE(log.read(line("die", "c1", hour_before)));
    EXPECT_EQ(log.since(), "1699996399.000000000") << "and asks on from the new time";
}

TEST(EventLog, AsksOnFromALittleBeforeTheLastEventButNotFromBeforeTheFirst) {
    EventLog log;
    EXPECT_EQ(log.since(), std::nullopt);
    log.read(line("start", "c1", kAt + 5));
    EXPECT_EQ(log.since(), "1700000000.000000005");
    log.read(line("die", "c1", kAt + 300'000'000));
    EXPECT_EQ(log.since(), "1700000000.000000005");
    log.read(line("start", "c1", kAt + 7'000'000'000));
    EXPECT_EQ(log.since(), "1700000006.000000000");
}

TEST(EventLog, RemembersMoreThanTheEngineTellsAgainAndNoMoreThanThat) {
    EventLog log;
    for (int i = 0; i < 5000; ++i)
        EXPECT_TRUE(log.read(line("die", "c", kAt + i)));
    for (int i = 4700; i < 5000; ++i)
        EXPECT_FALSE(log.read(line("die", "c", kAt + i))) << i;
    EXPECT_TRUE(log.read(line("die", "c", kAt))) << "forgotten";
}

}  // namespace
}  // namespace agentdb9::runtime::docker
