// Answers that the application ends by closing: its reset is not their end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

struct AnswerWithoutLength : testing::Test {
    Upstream upstream{[](Connection&) {}};
    Plane plane;
    model::Route& route = plane.add(upstream.port(), plane.user);
    Gate seen;

    // Says "half" of the answer, and what follows once the client has seen that; then closes or resets.
    Upstream::Served answers(const std::string& rest, bool whole) {
        return upstream.serve([this, rest, whole](Connection& connection) {
            read_message(connection, false, true);
            connection.send("HTTP/1.1 200 OK\r\n\r\nhalf");
            seen.wait();
            connection.send(rest);
            if (!whole) connection.reset();
        });
    }
    Connection asked(const std::string& version) {
        auto client = plane.api();
        client.send("GET " + Plane::proxy(route, "/") + " HTTP/" + version + "\r\nHost: a\r\n" + kBearer +
                    "\r\n");
        EXPECT_THAT(client.read_until("half"), EndsWith("half"));
        seen.open();
        return client;
    }
};

TEST_F(AnswerWithoutLength, EndsForAnOldClientAsItEndedForUs) {
    auto served = answers("", true);
    auto client = asked("1.0");
    char byte = 0;
    EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), 0);
}

TEST_F(AnswerWithoutLength, ThatBreaksOffIsAResetForAnOldClient) {
    auto served = answers("", false);
    auto client = asked("1.0");
    char byte = 0;
    EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), -1) << "it ended as if the answer were whole";
    EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(AnswerWithoutLength, IsInChunksForOthersAndOnlyAWholeOneHasTheLast) {
    auto served = answers(" and half", true);
    auto client = asked("1.1");
    EXPECT_THAT(client.read_until("0\r\n\r\n"), HasSubstr(" and half\r\n0\r\n\r\n"));
}

TEST_F(AnswerWithoutLength, ThatBreaksOffHasNoLastChunk) {
    auto served = answers("", false);
    auto client = asked("1.1");
    EXPECT_THAT(client.read_to_end(), Not(HasSubstr("0\r\n")));
}

}  // namespace
}  // namespace agentdb9::test
