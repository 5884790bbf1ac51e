#include "services/event_ring.hpp"

#include <gtest/gtest.h>

namespace agentdb9::services {
namespace {

LineId id(std::int64_t at, std::uint32_t tag = 1) {
    return {at, tag, "0123456789ab"};
}

class EventRingTest : public testing::Test {
  protected:
    void line(std::int64_t at) { ring_.push(id(at), std::to_string(at) + ";"); }
    void said(const std::string& text) { ring_.push(std::nullopt, text + ";"); }
    // All from the cursor on, as a watcher would take it.
    std::string rest(EventRing::Cursor cursor, std::uint64_t* lost = nullptr) {
        std::string text;
        std::uint64_t missing = 0;
        while (const auto* entry = ring_.next(cursor, missing))
            text += entry->text;
        if (lost != nullptr) *lost = missing;
        return text;
    }

    EventRing ring_{5, 1000};
};

TEST_F(EventRingTest, GivesEachWatcherAllInOrder) {
    said("begin");
    line(1);
    line(2);
    auto first = ring_.begin();
    std::uint64_t lost = 0;
    EXPECT_EQ(ring_.next(first, lost)->text, "begin;");
    EXPECT_EQ(rest(ring_.begin()), "begin;1;2;");
    EXPECT_EQ(rest(first), "1;2;");
    EXPECT_EQ(rest(ring_.end()), "");
    EXPECT_EQ(lost, 0U);
    EXPECT_TRUE(ring_.whole());
}

TEST_F(EventRingTest, TellsTheSlowHowManyLinesTheyMissedAndHoldsNoMore) {
    const auto slow = ring_.begin();
    said("begin");
    for (int at = 1; at <= 100; ++at)
        line(at);
    std::uint64_t lost = 0;
    EXPECT_EQ(rest(slow, &lost), "96;97;98;99;100;");
    EXPECT_EQ(lost, 95U) << "lines, not what was said between";
    EXPECT_FALSE(ring_.whole());
    EXPECT_EQ(rest(ring_.begin(), &lost), "96;97;98;99;100;");
    EXPECT_EQ(lost, 0U);
}

TEST_F(EventRingTest, HoldsNoMoreBytesThanItMay) {
    for (int at = 1; at <= 3; ++at)
        ring_.push(id(at), std::string(400, 'x'));
    EXPECT_EQ(rest(ring_.begin()).size(), 800U);
    ring_.push(id(4), std::string(5000, 'y'));
    EXPECT_EQ(rest(ring_.begin()), std::string(5000, 'y')) << "one that is larger is told all the same";
}

TEST_F(EventRingTest, FindsTheLastLinesAndThoseAfterOneOrAMoment) {
    said("begin");
    line(10);
    said("between");
    line(20);
    line(30);
    EXPECT_EQ(rest(ring_.tail(0)), "");
    EXPECT_EQ(rest(ring_.tail(1)), "30;");
    EXPECT_EQ(rest(ring_.tail(2)), "between;20;30;");
    EXPECT_EQ(rest(ring_.tail(3)), "begin;10;between;20;30;");
    EXPECT_EQ(rest(ring_.tail(99)), "begin;10;between;20;30;");
    EXPECT_EQ(rest(ring_.after(id(10)).value()), "between;20;30;");
    EXPECT_EQ(rest(ring_.after(id(30)).value()), "");
    EXPECT_FALSE(ring_.after(id(10, 2)));
    EXPECT_FALSE(ring_.after(id(15)));
    EXPECT_FALSE(ring_.after({10, 1, "another00000"}));
    EXPECT_EQ(rest(ring_.since(0)), "begin;10;between;20;30;");
    EXPECT_EQ(rest(ring_.since(11)), "between;20;30;");
    EXPECT_EQ(rest(ring_.since(30)), "30;");
    EXPECT_EQ(rest(ring_.since(31)), "");
}

TEST_F(EventRingTest, CountsWhatIsMissedAlsoWhereNothingIsLeft) {
    auto cursor = ring_.end();
    for (int at = 1; at <= 4; ++at)
        line(at);
    for (int i = 0; i < 5; ++i)
        said("word");
    std::uint64_t lost = 0;
    EXPECT_EQ(rest(cursor, &lost), "word;word;word;word;word;");
    EXPECT_EQ(lost, 4U);
}

TEST(LineIds, AreTextsAndBack) {
    const LineId one{1'795'955'884'007'000'001, 0x0f01c3d2, "4d5834364bda"};
    EXPECT_EQ(to_text(one), "1795955884.007000001-0f01c3d2@4d5834364bda");
    EXPECT_EQ(line_id_from(to_text(one)), one);
    for (const std::string_view bad :
         {"", "x", "1795955884.007000001-0f01c3d2@", "1795955884.007000001-0f01c3d@4d5834364bda",
          "1795955884.7-0f01c3d2@4d5834364bda", "-5.007000001-0f01c3d2@4d5834364bda",
          "1795955884.007000001-0f01c3d2@4D5834364BDA", "1795955884.007000001-0f01c3d2@4d5834364bda ",
          "1795955884.007000001-0f01c3d2@4d5834364bda0", "99999999999.007000001-0f01c3d2@4d5834364bda",
          "1795955884.007000001-0f01c3dx@4d5834364bda", "1795955884.00700000x-0f01c3d2@4d5834364bda",
          "1795955884.007000001@4d5834364bda", "1795955884.007000001--f01c3d2@4d5834364bda"})
        EXPECT_FALSE(line_id_from(bad)) << bad;
    EXPECT_FALSE(line_id_from(std::string(5000, '1')));
}

TEST(LineIds, TellLinesOfOneMomentApart) {
    runtime::OutputLine line{.at_ns = 5, .text = "text"};
    const auto one = id_of(line, "4d5834364bda");
    EXPECT_EQ(one, id_of(line, "4d5834364bda"));
    EXPECT_NE(one, id_of(line, "another"));
    line.stream = runtime::OutputStream::kStderr;
    EXPECT_NE(one, id_of(line, "4d5834364bda"));
    line.stream = runtime::OutputStream::kStdout;
    line.text = "texts";
    EXPECT_NE(one, id_of(line, "4d5834364bda"));
    EXPECT_EQ(to_text(id_of({.at_ns = 0, .text = ""}, "a")), "0.000000000-ea0c329e@a")
        << "as every server says it";
}

}  // namespace
}  // namespace agentdb9::services
