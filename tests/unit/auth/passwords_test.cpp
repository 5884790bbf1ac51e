#include "auth/passwords.hpp"

#include <gtest/gtest.h>

namespace agentdb9::auth {
namespace {

const auto kCost = PasswordCost::lowest();

TEST(Passwords, VerifiesWhatItHashed) {
    const auto hash = hash_password("correct horse", kCost);
    EXPECT_TRUE(hash.starts_with("$argon2id$"));
    EXPECT_TRUE(verify_password("correct horse", hash));
    EXPECT_FALSE(verify_password("correct horsf", hash));
    EXPECT_FALSE(verify_password("", hash));
    EXPECT_FALSE(needs_rehash(hash, kCost));
    EXPECT_TRUE(needs_rehash(hash, PasswordCost{}));
}

TEST(Passwords, EqualOnesHaveDifferentHashes) {
    EXPECT_NE(hash_password("correct horse", kCost), hash_password("correct horse", kCost));
}

TEST(Passwords, TheDefaultCostIsArgon2idWith64MiB) {
    const auto hash = hash_password("correct horse", PasswordCost{});
    EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << hash;
    EXPECT_TRUE(verify_password("correct horse", hash));
}

// Made with OpenBSD's, Apache's and PHP's prefixes of the same algorithm.
TEST(Passwords, BcryptHashesAreReadAndMarkedForANewHash) {
    const std::string rest = "$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    for (const std::string prefix : {"$2a", "$2b", "$2y"}) {
        EXPECT_TRUE(verify_password("U*U", prefix + rest)) << prefix;
        EXPECT_FALSE(verify_password("U*V", prefix + rest)) << prefix;
        EXPECT_TRUE(needs_rehash(prefix + rest, kCost)) << prefix;
    }
}

TEST(Passwords, OfBcryptHashesOnly72BytesCount) {
    // A published test vector: its password is 72 times 0xAA and more.
    const std::string hash = "$2a$05$/OK.fbVrR/bpIqNJ5ianF.swQOIzjOiJ9GHEPuhEkvqrUyvWhEMx6";
    EXPECT_TRUE(verify_password(std::string(72, '\xaa'), hash));
    EXPECT_TRUE(verify_password(std::string(80, '\xaa'), hash));
    EXPECT_FALSE(verify_password(std::string(71, '\xaa'), hash));
}

TEST(Passwords, OtherTextsAreNoHashes) {
    for (const std::string hash :
         {"", "*", "!", "x", "$1$abc$def", "$6$salt$abc", "$2a$05$short", "$argon2id$",
          "$argon2i$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$aGFzaA", "plain text password"}) {
        EXPECT_FALSE(verify_password("plain text password", hash)) << hash;
        EXPECT_TRUE(needs_rehash(hash, kCost)) << hash;
    }
    EXPECT_FALSE(verify_password("x", "$argon2id$" + std::string(1000, 'a')));
}

TEST(Passwords, HaveEightTo128Characters) {
    EXPECT_TRUE(password_problem("1234567"));
    EXPECT_FALSE(password_problem("12345678"));
    EXPECT_FALSE(password_problem("ääääääää"));
    EXPECT_TRUE(password_problem("ääää"));
    EXPECT_FALSE(password_problem(std::string(128, 'x')));
    EXPECT_TRUE(password_problem(std::string(129, 'x')));
}

}  // namespace
}  // namespace agentdb9::auth
