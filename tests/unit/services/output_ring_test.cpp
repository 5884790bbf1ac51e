#include "services/output_ring.hpp"

#include <gtest/gtest.h>

#include <random>

namespace agentdb9::services {
namespace {

TEST(OutputRing, KeepsTheLastBytesUnderTheirNumbers) {
    OutputRing ring(8);
    EXPECT_EQ(ring.begin(), 0U);
    EXPECT_EQ(ring.read(0, 10), "");
    ring.append("abcde");
    EXPECT_EQ(ring.read(0, 10), "abcde");
    EXPECT_EQ(ring.read(2, 2), "cd");
    ring.append("fghij");
    EXPECT_EQ(ring.begin(), 2U);
    EXPECT_EQ(ring.end(), 10U);
    EXPECT_EQ(ring.read(2, 100), "cdefghij");
    EXPECT_EQ(ring.read(9, 100), "j");
    EXPECT_EQ(ring.read(10, 100), "");
    ring.append("0123456789ABCDEF");
    EXPECT_EQ(ring.begin(), 18U);
    EXPECT_EQ(ring.read(18, 100), "89ABCDEF");
}

TEST(OutputRing, IsWhatATextWouldBe) {
    const auto seed = std::random_device()();
    std::mt19937 random(seed);
    OutputRing ring(100);
    std::string all;
    for (int i = 0; i < 2000; ++i) {
        std::string piece(random() % 130, '\0');
        for (char& c : piece)
            c = static_cast<char>('a' + random() % 26);
        ring.append(piece);
        all += piece;
        ASSERT_EQ(ring.end(), all.size()) << seed;
        ASSERT_EQ(ring.begin(), all.size() - std::min<std::size_t>(100, all.size())) << seed;
        const auto from = ring.begin() + random() % (ring.end() - ring.begin() + 1);
        ASSERT_EQ(ring.read(from, 50), all.substr(from, 50)) << seed;
    }
}

}  // namespace
}  // namespace agentdb9::services
