#include "cli/data_plane_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace agentdb9::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string text_of(const proxy::Metrics& metrics) {
    MetricList list;
    add_data_plane_metrics(list, metrics);
    return api::metrics_text(list.take());
}

TEST(DataPlaneMetrics, AHistogramIsCumulativeAndAgreesWithItself) {
    proxy::Metrics metrics;
    metrics.upstream_first_byte_time.record(400us);
    metrics.upstream_first_byte_time.record(2ms);
    metrics.upstream_first_byte_time.record(60s);
    const auto text = text_of(metrics);
    EXPECT_THAT(text, HasSubstr("# TYPE agentdb9_upstream_first_byte_seconds histogram\n"
                                "agentdb9_upstream_first_byte_seconds_bucket{le=\"0.0005\"} 1\n"
                                "agentdb9_upstream_first_byte_seconds_bucket{le=\"0.001\"} 1\n"
                                "agentdb9_upstream_first_byte_seconds_bucket{le=\"0.0025\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("agentdb9_upstream_first_byte_seconds_bucket{le=\"30\"} 2\n"
                                "agentdb9_upstream_first_byte_seconds_bucket{le=\"+Inf\"} 3\n"
                                "agentdb9_upstream_first_byte_seconds_sum 60.0024\n"
                                "agentdb9_upstream_first_byte_seconds_count 3\n"));
}

TEST(DataPlaneMetrics, SayWhatWasRefusedAndWhichLimitWasHit) {
    proxy::Metrics metrics;
    metrics.hit(proxy::LimitHit::kUserConnections);
    metrics.refused("too_many_connections");
    ++metrics.requests[static_cast<std::size_t>(proxy::RequestKind::kApplication)][proxy::status_class(429)];
    ++metrics.access_dropped;
    const auto text = text_of(metrics);
    EXPECT_THAT(text, HasSubstr("agentdb9_limits_hit_total{limit=\"user_connections\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("agentdb9_refusals_total{code=\"too_many_connections\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("agentdb9_answers_total{kind=\"application\",status=\"4xx\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("agentdb9_access_log_dropped_total 1\n"));
}

// What a scraper refuses: a name that comes back after another, or a line twice.
TEST(DataPlaneMetrics, StandTogetherByNameAndEachOnce) {
    std::istringstream lines(text_of({}));
    std::set<std::string> series;
    std::set<std::string> types;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# HELP ")) continue;
        if (line.starts_with("# TYPE "))
            EXPECT_TRUE(types.insert(line).second) << line;
        else
            EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
    EXPECT_GT(series.size(), 100U);
    EXPECT_LT(series.size(), 250U);
}

}  // namespace
}  // namespace agentdb9::cli
