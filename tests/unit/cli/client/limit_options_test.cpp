#include "cli/client/limit_options.hpp"

#include <gtest/gtest.h>

#include "cli/client/operation.hpp"

namespace agentdb9::cli::client {
namespace {

std::string body(const LimitOptions& options, bool reset) {
    return json::serialize(limits_body(options, reset));
}

TEST(LimitOptions, SayWhatIsGivenAndLeaveTheRest) {
    LimitOptions options;
    EXPECT_TRUE(options.empty());
    options.memory_mb = 512;
    options.ulimits = {"nofile=99", "nproc=0"};
    EXPECT_FALSE(options.empty());
    EXPECT_EQ(body(options, false), R"({"memory":512,"ulimits":{"nofile":99,"nproc":0}})");
}

TEST(LimitOptions, WithAResetTheRestIsTheTypesAgain) {
    EXPECT_EQ(body({}, true), "null");
    LimitOptions options;
    options.pids = 9;
    EXPECT_EQ(
        body(options, true),
        R"({"cpus":null,"memory":null,"memoryReservation":null,"pids":9,"shmSize":null,"ulimits":null})");
}

TEST(PhaseText, HasThePlaceInTheLine) {
    const auto text = [](const char* operation) { return phase_text(json::parse(operation).as_object()); };
    EXPECT_EQ(text(R"({"phase":"queued","queue":{"position":2,"of":5,"reason":"x"}})"), "queued, 2 of 5");
    EXPECT_EQ(text(R"({"phase":"pulling","queue":null})"), "pulling");
    EXPECT_EQ(text(R"({"phase":"queued"})"), "queued") << "of an older server";
    EXPECT_EQ(text(R"({"phase":"queued","queue":{"position":"2"}})"), "queued");
}

}  // namespace
}  // namespace agentdb9::cli::client
