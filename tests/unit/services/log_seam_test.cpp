#include "services/log_seam.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace agentdb9::services {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// A log whose lines are numbered by their place: no two are the same.
std::vector<std::size_t> read(LogSeam& seam, const std::vector<std::int64_t>& log, std::size_t until) {
    const auto since = seam.since();
    std::vector<std::size_t> fresh;
    for (std::size_t i = 0; i < until; ++i) {
        if (since && log[i] < *since) continue;
        if (seam.admit(log[i], static_cast<std::uint32_t>(i))) fresh.push_back(i);
    }
    return fresh;
}

TEST(LogSeam, GivesEachLineOnceHoweverOftenItIsReadAgain) {
    const std::vector<std::int64_t> log{100 * kSecond, 100 * kSecond + 5, 101 * kSecond,
                                        101 * kSecond, 101 * kSecond,     102 * kSecond};
    LogSeam seam;
    EXPECT_EQ(read(seam, log, 4), (std::vector<std::size_t>{0, 1, 2, 3}));
    EXPECT_EQ(read(seam, log, 4), (std::vector<std::size_t>{}));
    EXPECT_EQ(read(seam, log, 6), (std::vector<std::size_t>{4, 5})) << "the third of the same moment, too";
}

TEST(LogSeam, GivesALineThatStandsBehindALaterOne) {
    const std::vector<std::int64_t> log{100 * kSecond, 101 * kSecond, 101 * kSecond - 1000, 102 * kSecond};
    LogSeam seam;
    EXPECT_EQ(read(seam, log, 2).size(), 2U);
    EXPECT_EQ(read(seam, log, 4), (std::vector<std::size_t>{2, 3}));
}

TEST(LogSeam, GivesWhatIsReadTwiceInOneReadingOnce) {
    LogSeam seam;
    EXPECT_TRUE(seam.admit(5, 1));
    EXPECT_TRUE(seam.admit(5, 2)) << "another text";
    EXPECT_TRUE(seam.admit(6, 1)) << "another moment";
    EXPECT_FALSE(seam.admit(5, 1));
    EXPECT_EQ(seam.last(), 6);
    EXPECT_TRUE(seam.told(5, 2));
    EXPECT_FALSE(seam.told(6, 2));
}

TEST(LogSeam, DoesNotGoBackBeforeTheLineThatItBeganWith) {
    LogSeam seam;
    seam.admit(100 * kSecond, 1);
    seam.admit(100 * kSecond + 10, 2);
    EXPECT_EQ(seam.since(), 100 * kSecond);
    EXPECT_TRUE(seam.told(99 * kSecond, 7));
}

TEST(LogSeam, HoldsForAnyLogAndAnyBreaks) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        // Half a second of disorder at most, moments that repeat.
        std::vector<std::int64_t> log;
        std::int64_t now = 1000 * kSecond;
        log.push_back(now);
        for (int i = 0; i < 60; ++i) {
            now += static_cast<std::int64_t>(random() % 4) * (kSecond / 4);
            log.push_back(
                std::max(now - static_cast<std::int64_t>(random() % 3) * (kSecond / 4), log.front()));
        }
        LogSeam seam;
        std::vector<int> given(log.size());
        for (std::size_t until = 1; until <= log.size(); until += 1 + random() % 9) {
            for (const auto i : read(seam, log, until))
                ++given[i];
        }
        for (const auto i : read(seam, log, log.size()))
            ++given[i];
        EXPECT_EQ(given, std::vector<int>(log.size(), 1)) << "round " << round;
    }
}

TEST(LogSeam, RemembersABoundedNumber) {
    LogSeam seam(10);
    for (std::int64_t at = 1; at <= 1000; ++at)
        seam.admit(at, 1);
    EXPECT_GE(*seam.since(), 990) << "from what it remembers on";
    EXPECT_TRUE(seam.told(500, 1)) << "what is older was told";
    EXPECT_TRUE(seam.told(1000, 1));
    EXPECT_FALSE(seam.told(1000, 2));
    EXPECT_FALSE(seam.told(1001, 1));
}

TEST(LogSeam, KnowsNothingBeforeTheFirst) {
    const LogSeam seam;
    EXPECT_FALSE(seam.since());
    EXPECT_FALSE(seam.told(1, 1));
}

}  // namespace
}  // namespace agentdb9::services
