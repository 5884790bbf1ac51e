#include "runtime/docker/failure.hpp"

#include <gmock/gmock.h>

namespace agentdb9::runtime::docker {
namespace {

using testing::HasSubstr;
using testing::Not;

EngineAnswer answer(int status, std::string_view message) {
    return {status, json::serialize(json::object{{"message", message}})};
}

TEST(Failure, TellsWhenTheNetworkRefusedAContainer) {
    // The words of 20.10 and of later engines.
    EXPECT_TRUE(network_refused_it(answer(403, "Address already in use")));
    EXPECT_TRUE(network_refused_it(answer(404, "network agentdb9_default not found")));
    EXPECT_TRUE(network_refused_it(
        answer(500, "Invalid address 10.1.0.9: It does not belong to any of this network's subnets")));
    EXPECT_TRUE(network_refused_it(
        answer(400,
               "user specified IP address is supported only when connecting to networks with user "
               "configured subnets")));
    EXPECT_TRUE(network_refused_it(
        answer(400,
               "invalid config for network n: invalid endpoint settings:\nno configured subnet contains IP "
               "address 10.1.0.9")));
}

TEST(Failure, TakesNothingElseForIt) {
    EXPECT_FALSE(network_refused_it(answer(404, "No such container: network")));
    EXPECT_FALSE(network_refused_it(
        answer(400, R"(exec: "networkd": executable file not found in $PATH: network is fine)")));
    EXPECT_FALSE(network_refused_it(answer(500, "network x not found")));
    EXPECT_FALSE(network_refused_it({500, "out of memory"}));
}

TEST(Failure, OnlyACallOnAContainerSaysThatTheContainerIsGone) {
    try {
        throw_instance_failure(answer(404, "No such container: x"), "start container");
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kNotFound);
        EXPECT_EQ(error.word(), "instance_not_found");
        EXPECT_EQ(error.internal(), "start container: 404 No such container: x");
        EXPECT_THAT(error.message(), Not(HasSubstr("No such container")));
    }
    try {
        throw_failure(answer(404, "plugin \"nfs\" not found"), "create volume");
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kUpstream);
        EXPECT_EQ(error.word(), "runtime_error");
        EXPECT_THAT(error.message(), HasSubstr("plugin \"nfs\" not found"));
    }
}

TEST(EngineAnswer, ReadsTheEnginesWordsWhereverTheyAre) {
    EXPECT_EQ(answer(500, "no").message(), "no");
    EXPECT_EQ((EngineAnswer{400, "client version 1.10 is too old\n"}.message()),
              "client version 1.10 is too old\n");
    EXPECT_EQ((EngineAnswer{500, R"({"message":7})"}.message()), R"({"message":7})");
    EXPECT_EQ((EngineAnswer{500, std::string(5000, 'x')}.message().size()), 300U);
    EXPECT_EQ((EngineAnswer{500, ""}.message()), "");
    try {
        (EngineAnswer{200, R"({"Id":)"}.parsed());
        FAIL() << "read";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.word(), "runtime_error");
    }
}

}  // namespace
}  // namespace agentdb9::runtime::docker
