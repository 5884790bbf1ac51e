#include "cli/control_plane_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const std::function<void(MetricList&)>& add) {
    MetricList list;
    add(list);
    return api::metrics_text(list.take());
}

TEST(MetricList, AHistogramIsCumulativeAndItsBoundsAreInclusive) {
    base::Histogram took;
    took.record(1ms);
    took.record(2ms);
    took.record(301s);
    took.record(-5ms);  // a clock that was set back
    const auto text = text_of([&](MetricList& list) { list.histogram("it", "Help.", took, "a=\"b\""); });
    EXPECT_THAT(text, HasSubstr("# TYPE it histogram\nit_bucket{a=\"b\",le=\"0.001\"} 2\n"
                                "it_bucket{a=\"b\",le=\"0.005\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("it_bucket{a=\"b\",le=\"300\"} 3\nit_bucket{a=\"b\",le=\"+Inf\"} 4\n"
                                "it_sum{a=\"b\"} 301.003\nit_count{a=\"b\"} 4\n"));
}

TEST(MetricList, LabelsAreEscaped) {
    EXPECT_EQ(metric_label("route", "/a\"b\\c\nd"), "route=\"/a\\\"b\\\\c\\nd\"");
}

TEST(ControlPlaneMetrics, OperationsStandByKindOutcomeAndWhoAsked) {
    services::OperationMeasures workspaces;
    model::Operation operation{.id = base::OperationId::generate(),
                               .workspace_id = base::WorkspaceId::generate()};
    operation.kind = model::OperationKind::kRestart;
    operation.state = model::OperationState::kFailed;
    operation.created_at = base::from_unix_ms(1'000);
    operation.finished_at = base::from_unix_ms(3'500);
    workspaces.ended(operation);
    operation.requested_by = base::UserId::generate();
    workspaces.ended(operation);
    workspaces.ended(operation);
    const auto text = text_of(
        [&](MetricList& list) { add_operation_metrics(list, workspaces, services::OperationMeasures()); });
    const std::string labels = "of=\"workspace\",kind=\"restart\",outcome=\"failed\",by=";
    EXPECT_THAT(text, HasSubstr("agentdb9_operation_seconds_count{" + labels + "\"server\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("agentdb9_operation_seconds_count{" + labels + "\"user\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("agentdb9_operation_seconds_sum{" + labels + "\"user\"} 5\n"));
}

TEST(ControlPlaneMetrics, EngineCallsStandByOutcomeAndOnlyThoseThatThereWere) {
    runtime::docker::EngineCalls calls;
    auto& create = calls["POST /containers/create"];
    create.took.record(20ms);
    create.ended[runtime::docker::EngineCallMeasures::kTimeout] = 3;
    const auto text = text_of([&](MetricList& list) { add_engine_metrics(list, calls, false); });
    EXPECT_THAT(text, HasSubstr("agentdb9_runtime_connected 0\n"));
    EXPECT_THAT(
        text,
        HasSubstr("agentdb9_engine_calls_total{call=\"POST /containers/create\",outcome=\"timeout\"} 3\n"));
    // A rate needs a series that begins at 0.
    EXPECT_THAT(
        text,
        HasSubstr("agentdb9_engine_calls_total{call=\"POST /containers/create\",outcome=\"answered\"} 0\n"));
    EXPECT_THAT(text, Not(HasSubstr("outcome=\"unavailable\"")));
}

}  // namespace
}  // namespace agentdb9::cli
