#include <gtest/gtest.h>

#include "base/crypto.hpp"
#include "base/utf8.hpp"

namespace agentdb9::base {
namespace {

TEST(Base64, IsPaddedAndGoesBothWays) {
    // RFC 4648 section 10.
    EXPECT_EQ(base64_encode(""), "");
    EXPECT_EQ(base64_encode("f"), "Zg==");
    EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
    EXPECT_EQ(base64_encode("\xff\xfe\xfd"), "//79");
    for (const std::string& text : {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
                                    std::string("\0\xff\n\r", 4), std::string(10'000, '\x80')})
        EXPECT_EQ(base64_decode(base64_encode(text)), text);
}

TEST(Base64, AnythingElseIsNone) {
    for (const auto* text : {"Z", "Zg", "Zg=", "Zg===", "Zg==\n", " Zg==", "Zm9v-_",
                             "Zh==", "Zg==Zg==", "====", "a\xC2\x85\x62"})
        EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

TEST(Utf8, WhatIsNoCharacterIsReplacedByteByByte) {
    EXPECT_EQ(as_valid_utf8("a\xC3\xBC\xE6\x97\xA5\xF0\x9F\x99\x82"),
              "a\xC3\xBC\xE6\x97\xA5\xF0\x9F\x99\x82");
    EXPECT_EQ(as_valid_utf8("a\xFF\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
    EXPECT_EQ(as_valid_utf8(std::string_view("\x1b[1m\0", 5)), std::string("\x1b[1m\0", 5))
        << "controls stay";
    EXPECT_EQ(as_valid_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "overlong";
    EXPECT_EQ(as_valid_utf8("\xED\xA0\x80").size(), 9U) << "a surrogate";
}

TEST(Utf8, TellsHowMuchOfACharacterIsStillToCome) {
    EXPECT_EQ(unfinished_utf8(""), 0U);
    EXPECT_EQ(unfinished_utf8("a"), 0U);
    EXPECT_EQ(unfinished_utf8("a\xC3"), 1U);
    EXPECT_EQ(unfinished_utf8("a\xC3\xBC"), 0U);
    EXPECT_EQ(unfinished_utf8("\xE6\x97"), 2U);
    EXPECT_EQ(unfinished_utf8("\xF0\x9F\x99"), 3U);
    EXPECT_EQ(unfinished_utf8("\xF0\x9F\x99\x82"), 0U);
    EXPECT_EQ(unfinished_utf8("\x80\x80\x80\x80"), 0U) << "what belongs to none is not waited for";
    EXPECT_EQ(unfinished_utf8("\xFF"), 0U);
}

}  // namespace
}  // namespace agentdb9::base
