#include "proxy/remembered_texts.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

TEST(RememberedTexts, KnowWhatWasAdded) {
    RememberedTexts texts;
    texts.add("a");
    texts.add("a");
    EXPECT_TRUE(texts.contains("a"));
    EXPECT_FALSE(texts.contains("A"));
    EXPECT_EQ(texts.bytes(), 1U);
    texts.clear();
    EXPECT_FALSE(texts.contains("a"));
    EXPECT_EQ(texts.bytes(), 0U);
}

TEST(RememberedTexts, BeginAnewWhenThereAreTooMany) {
    RememberedTexts texts;
    for (std::size_t i = 0; i <= 3 * RememberedTexts::kMaxTexts; ++i) {
        texts.add(std::to_string(i));
        ASSERT_LE(texts.size(), RememberedTexts::kMaxTexts);
        ASSERT_TRUE(texts.contains(std::to_string(i)));
    }
}

TEST(RememberedTexts, BeginAnewWhenTheyAreTooLargeTogether) {
    RememberedTexts texts;
    for (std::size_t i = 0; i < 1'000; ++i) {
        texts.add(std::to_string(i) + std::string(30'000, 'x'));
        ASSERT_LE(texts.bytes(), RememberedTexts::kMaxBytes);
    }
    EXPECT_GT(texts.size(), 0U);
}

}  // namespace
}  // namespace agentdb9::proxy
