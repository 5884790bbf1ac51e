#include "api/log_text.hpp"

#include <gtest/gtest.h>

namespace agentdb9::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
const base::Time kNow = base::from_unix_ms(1'800'000'000'500);

TEST(ParseSince, ReadsTimesSecondsAndHowLongAgo) {
    EXPECT_EQ(parse_since("1970-01-01T00:00:01Z", kNow), kSecond);
    EXPECT_EQ(parse_since("2026-11-29T12:38:04.557846721Z", kNow), 1'795'955'884'557'846'721);
    EXPECT_EQ(parse_since("2026-11-29T13:38:04.5+01:00", kNow), 1'795'955'884 * kSecond + kSecond / 2);
    EXPECT_EQ(parse_since("1795955884.557846721", kNow), 1'795'955'884'557'846'721);
    EXPECT_EQ(parse_since("1795955884", kNow), 1'795'955'884 * kSecond);
    EXPECT_EQ(parse_since("0", kNow), 0);
    EXPECT_EQ(parse_since("90s", kNow), (1'800'000'000 - 90) * kSecond);
    EXPECT_EQ(parse_since("10m", kNow), (1'800'000'000 - 600) * kSecond);
    EXPECT_EQ(parse_since("2h", kNow), (1'800'000'000 - 7200) * kSecond);
    EXPECT_EQ(parse_since("7d", kNow), (1'800'000'000 - 7 * 86'400) * kSecond);
    EXPECT_EQ(parse_since("9999999d", kNow), 0) << "before there were computers";
}

TEST(ParseSince, RefusesWhatIsNone) {
    for (const std::string_view bad : {"",
                                       " ",
                                       "-1",
                                       "+1",
                                       "1 ",
                                       "1.",
                                       ".5",
                                       "1.5.5",
                                       "1e3",
                                       "0x10",
                                       "s",
                                       "-5m",
                                       "5y",
                                       "1.5h",
                                       "12345678901",
                                       "99999999999",
                                       "9999-12-31T23:59:59Z",
                                       "1969-12-31T23:59:59Z",
                                       "2026-02-30T00:00:00Z",
                                       "yesterday",
                                       "1.1234567890",
                                       "NaN",
                                       "999999999999999999999"}) {
        EXPECT_FALSE(parse_since(bad, kNow)) << bad;
    }
    EXPECT_FALSE(parse_since(std::string(5000, '1'), kNow));
    EXPECT_FALSE(parse_since(std::string("1\0", 2), kNow));
}

TEST(LogText, ShowsLinesAsJsonAndAsText) {
    runtime::OutputLine line{.at_ns = 1'795'955'884'007'000'001, .text = "a \"quoted\" line"};
    EXPECT_EQ(base::to_text(to_json(line)),
              R"({"time":"2026-11-29T12:38:04.007000001Z","stream":"stdout","line":"a \"quoted\" line"})");
    line.stream = runtime::OutputStream::kStderr;
    line.cut = true;
    EXPECT_EQ(base::to_text(to_json(line, false)),
              R"({"stream":"stderr","line":"a \"quoted\" line","truncated":true})");
    std::string text;
    append_text(text, line, true);
    append_text(text, line, false);
    EXPECT_EQ(text, "2026-11-29T12:38:04.007000001Z a \"quoted\" line\na \"quoted\" line\n");
}

TEST(LogText, ShowsUseWithPartsOfAHundred) {
    const runtime::Usage usage{
        .cpu_percent = 12.34567, .cpus = 2, .memory_bytes = 1, .memory_limit_bytes = 3};
    const auto shown = to_json(usage);
    EXPECT_EQ(shown.at("cpu").at("percent"), 12.35);
    EXPECT_EQ(shown.at("memory").at("percent"), 33.33);
    EXPECT_EQ(to_json(runtime::Usage{}).at("memory").at("percent"), 0.0) << "no limit is no failure";
}

}  // namespace
}  // namespace agentdb9::api
