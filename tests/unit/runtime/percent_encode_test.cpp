#include <gtest/gtest.h>

#include <set>

#include "runtime/docker/engine_client.hpp"

namespace agentdb9::runtime::docker {
namespace {

TEST(PercentEncode, LeavesUnreservedCharactersOnly) {
    const std::string unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    EXPECT_EQ(percent_encode(unreserved), unreserved);
    std::set<std::string> seen;
    for (int byte = 0; byte < 256; ++byte) {
        const std::string one(1, static_cast<char>(byte));
        const auto encoded = percent_encode(one);
        EXPECT_TRUE(seen.insert(encoded).second);
        if (byte != 0 && unreserved.find(one) != std::string::npos) continue;
        EXPECT_EQ(encoded.size(), 3U) << byte;
        EXPECT_EQ(encoded.front(), '%');
        EXPECT_EQ(std::stoi(encoded.substr(1), nullptr, 16), byte);
    }
}

TEST(PercentEncode, LetsNoNameLeaveItsPlaceInThePath) {
    EXPECT_EQ(percent_encode("x/../../etc?force=true#\r\n"), "x%2F..%2F..%2Fetc%3Fforce%3Dtrue%23%0D%0A");
    EXPECT_EQ(percent_encode("grün %41"), "gr%C3%BCn%20%2541");
    EXPECT_EQ(percent_encode(""), "");
}

}  // namespace
}  // namespace agentdb9::runtime::docker
