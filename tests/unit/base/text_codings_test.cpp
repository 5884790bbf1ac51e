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

TEST(Utf8, WhatIsStoredHasNoZeroBytesEither) {
    EXPECT_EQ(as_storable_text("plain\n"), "plain\n");
    EXPECT_EQ(as_storable_text("\xC3\xBC"), "\xC3\xBC");
    EXPECT_EQ(as_storable_text(std::string_view("a\0b\xFF", 4)), "a\xEF\xBF\xBD\x62\xEF\xBF\xBD");
    EXPECT_EQ(as_storable_text(std::string_view("\0", 1)), "\xEF\xBF\xBD");
    EXPECT_EQ(as_storable_text(""), "");
}

TEST(Utf8, TheLastCharactersAreWhole) {
    EXPECT_EQ(last_characters("abc", 3), "abc");
    EXPECT_EQ(last_characters("abc", 2), "bc");
    EXPECT_EQ(last_characters("a\xE6\x97\xA5z", 2), "z");
    EXPECT_EQ(last_characters("a\xE6\x97\xA5z", 3), "z");
    EXPECT_EQ(last_characters("a\xE6\x97\xA5z", 4), "\xE6\x97\xA5z");
    EXPECT_EQ(last_characters("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80")
        << "of no character: no more is left out";
    EXPECT_EQ(last_characters("abc", 0), "");
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
