// When requests start a workspace whose start failed.
#include <gtest/gtest.h>

#include "services/wake_service.hpp"

namespace agentdb9::services {
namespace {

using namespace std::chrono_literals;

constexpr base::Time kFailedAt = base::Time(1'700'000'000'000ms);

struct Failed {
    model::Workspace workspace{.id = base::WorkspaceId::generate(),
                               .name = "w",
                               .user_id = base::UserId::generate(),
                               .type = "vscode"};
    std::optional<model::Operation> latest =
        model::Operation{.id = base::OperationId::generate(), .workspace_id = workspace.id};

    Failed() {
        workspace.desired_state = model::DesiredState::kStopped;
        workspace.phase = model::Phase::kFailed;
        latest->state = model::OperationState::kFailed;
        latest->finished_at = kFailedAt;
    }
    std::optional<std::chrono::seconds> left(base::Duration after) const {
        return pause_left(workspace, latest, kFailedAt + after);
    }
};

TEST(PauseAfterFailure, LastsAMinute) {
    const Failed failed;
    EXPECT_EQ(failed.left(0ms), 60s);
    EXPECT_EQ(failed.left(1ms), 60s);
    EXPECT_EQ(failed.left(59'999ms), 1s);
    EXPECT_FALSE(failed.left(60s));
    EXPECT_FALSE(failed.left(24h));
}

TEST(PauseAfterFailure, IsNoneWhereTheClockWasPutBack) {
    EXPECT_FALSE(Failed().left(-1ms));
    EXPECT_FALSE(Failed().left(-24h));
}

TEST(PauseAfterFailure, IsOfAFailedStartOnly) {
    for (const auto state : {model::OperationState::kPending, model::OperationState::kRunning,
                             model::OperationState::kSucceeded, model::OperationState::kSuperseded}) {
        Failed other;
        other.latest->state = state;
        EXPECT_FALSE(other.left(1s));
    }
    Failed stopped;  // whose stop took too long
    stopped.workspace.phase = model::Phase::kStopped;
    EXPECT_FALSE(stopped.left(1s));
    Failed wanted;
    wanted.workspace.desired_state = model::DesiredState::kRunning;
    EXPECT_FALSE(wanted.left(1s));
    Failed unknown;
    unknown.latest.reset();
    EXPECT_FALSE(unknown.left(1s));
}

}  // namespace
}  // namespace agentdb9::services
