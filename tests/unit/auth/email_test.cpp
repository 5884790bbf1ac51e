#include "auth/email.hpp"

#include <gtest/gtest.h>

namespace agentdb9::auth {
namespace {

TEST(Email, IsKeptInLowerCase) {
    EXPECT_EQ(normalize_email("Ada.Lovelace+x@Example.ORG"), "ada.lovelace+x@example.org");
    EXPECT_EQ(normalize_email("admin@localhost"), "admin@localhost");
    EXPECT_EQ(normalize_email("käse@example.org"), "käse@example.org");
}

TEST(Email, WhatCannotBeOneIsRefused) {
    for (const std::string text : {"",           "a",
                                   "@",          "a@",
                                   "@b",         "a@b@c",
                                   "a b@c.de",   "a@b c",
                                   "a@-b.de",    "a@b..de",
                                   "a@.de",      ".a@b.de",
                                   "a.@b.de",    "a@b.de.",
                                   "a\n@b.de",   "a@b.de\r\nBcc: x@y",
                                   "\"a\"@b.de", "a@[127.0.0.1]",
                                   "a,b@c.de",   "<a@b.de>"})
        EXPECT_FALSE(normalize_email(text)) << text;
    EXPECT_FALSE(normalize_email(std::string(65, 'a') + "@b.de"));
    EXPECT_TRUE(normalize_email(std::string(64, 'a') + "@b.de"));
    EXPECT_FALSE(normalize_email("a@" + std::string(64, 'b')));
    EXPECT_FALSE(normalize_email("a@" + std::string(300, 'b')));
}

}  // namespace
}  // namespace agentdb9::auth
