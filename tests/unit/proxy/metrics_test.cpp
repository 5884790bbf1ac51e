#include "proxy/metrics.hpp"

#include <gtest/gtest.h>

namespace agentdb9::proxy {
namespace {

using namespace std::chrono_literals;

TEST(Metrics, AddUp) {
    Metrics one;
    Metrics two;
    ++one.connections_accepted;
    two.connections_accepted += 2;
    ++one.access_dropped;
    ++one.requests[1][2];
    ++two.requests[1][2];
    two.hit(LimitHit::kLargeBodies);
    two.refused("bad_request");
    two.upstream_connect_time.record(3ms);
    two.upstream_first_byte_time.record(1s);
    Metrics sum;
    sum += one;
    sum += two;
    EXPECT_EQ(sum.connections_accepted, 3U);
    EXPECT_EQ(sum.access_dropped, 1U);
    EXPECT_EQ(sum.requests[1][2], 2U);
    EXPECT_EQ(sum.limits_hit.back(), 1U);
    EXPECT_EQ(sum.refusals.front(), 1U);
    EXPECT_EQ(sum.upstream_connect_time.sum_microseconds, 3'000U);
    EXPECT_EQ(sum.upstream_first_byte_time.count(), 1U);
}

TEST(Metrics, AGaugeThatOneRaisedAndAnotherLoweredIsZero) {
    Metrics one;
    Metrics two;
    ++one.connections_open;
    --two.connections_open;
    EXPECT_EQ(two.connections_open, -1);
    one += two;
    EXPECT_EQ(one.connections_open, 0);
}

TEST(Histogram, PutsADurationUnderTheFirstBoundThatItDoesNotExceed) {
    Histogram histogram;
    histogram.record(0ms);
    histogram.record(500us);
    histogram.record(501us);
    histogram.record(30s);
    histogram.record(31s);
    histogram.record(-1ms);
    EXPECT_EQ(histogram.buckets[0], 3U);
    EXPECT_EQ(histogram.buckets[1], 1U);
    EXPECT_EQ(histogram.buckets[Histogram::kBoundsMicroseconds.size() - 1], 1U);
    EXPECT_EQ(histogram.buckets.back(), 1U);
    EXPECT_EQ(histogram.count(), 6U);
    EXPECT_EQ(histogram.sum_microseconds, 61'001'001U);
}

TEST(Refusals, AreABoundedSetOfWords) {
    EXPECT_EQ(kRefusalWords[refusal_index("too_many_connections")], "too_many_connections");
    EXPECT_EQ(kRefusalWords[refusal_index("something_new")], "other");
    EXPECT_EQ(kRefusalWords[refusal_index("")], "other");
}

TEST(StatusClass, IsTheFirstDigit) {
    EXPECT_EQ(kStatusClasses[status_class(101)], "1xx");
    EXPECT_EQ(kStatusClasses[status_class(599)], "5xx");
    for (const int status : {0, 99, 600, -1})
        EXPECT_EQ(kStatusClasses[status_class(status)], "none") << status;
}

}  // namespace
}  // namespace agentdb9::proxy
