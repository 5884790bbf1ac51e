#include "services/instance_follower.hpp"

#include <algorithm>

namespace agentdb9::services {
namespace {

// How often it is looked whether anybody watches.
constexpr base::Duration kLook{1000};
// What was missed of a change is noticed after so long.
constexpr base::Duration kLongestWait{10'000};
// Between two looks whatever changes: each asks the engine.
constexpr base::Duration kPause{250};
constexpr base::Duration kLongestPause{5000};
// Where nothing is printed, what has gone on for so long goes well.
constexpr std::chrono::seconds kWell{2};
// An instance that was replaced prints its last while it is stopped; then its successor has its turn.
constexpr std::chrono::seconds kLastWords{6};

}  // namespace

InstanceFollower::InstanceFollower(const FollowerTools& tools, base::WorkspaceId workspace)
    : Feed(tools.executor), tools_(tools), workspace_(workspace), changed_(tools.executor) {}

void InstanceFollower::finish() {
    Feed::finish();
    changed_.notify_all();
}

Task<> InstanceFollower::run() {
    while (watched() && !ended()) {
        std::optional<base::Error> failure;
        try {
            co_await one_look();
        } catch (const base::Error& error) {
            failure = error;
        }
        if (failure && failure->word() == "workspace_not_found") {
            on_gone();
            break;
        }
        if (failure) co_await settle(*failure);
        co_await clock().sleep_for(kPause);
    }
    finish();
}

Task<> InstanceFollower::settle(base::Error error) {
    // Removed between the look and the call: the next look tells.
    if (error.word() == "instance_not_found") co_return;
    const bool outage =
        error.code() == base::ErrorCode::kUnavailable || error.code() == base::ErrorCode::kTimeout;
    // A connection that broke off, and is there again, is nobody's business.
    if (!outage || failures_ > 0) {
        outage_told_ = outage;
        on_trouble(error);
        news().notify_all();
    }
    const auto pause = std::min(kPause * (1 << std::min(failures_++, 5)), kLongestPause);
    // What the engine refuses it refuses until something changes.
    if (outage) {
        co_await clock().sleep_for(pause);
    } else {
        co_await wait_for_change(kLongestWait);
    }
}

Task<> InstanceFollower::one_look() {
    const auto found = co_await tools_.finder.current(workspace_);
    const bool same = told_ && found.has_value() == seen_.has_value() &&
                      (!found || (found->id == seen_->id && found->state == seen_->state));
    told_ = true;
    seen_ = found;
    if (!same) {
        outage_told_ = false;
        on_instance(found);
        news().notify_all();
    }
    if (found) co_await base::run_unless(until_over(found->id), follow(*found));
    going_well();
    if (!found || !model::holds_volumes(found->state)) co_await wait_for_change(kLongestWait);
}

void InstanceFollower::going_well() {
    failures_ = 0;
    if (!std::exchange(outage_told_, false)) return;
    on_instance(seen_);
    news().notify_all();
}

Task<> InstanceFollower::until_over(std::string instance) {
    const auto began = clock().steady_now();
    std::optional<base::SteadyTime> replaced_at;
    while (watched() && !ended()) {
        if (clock().steady_now() - began >= kWell) going_well();
        const auto serving = tools_.finder.serving(workspace_);
        if (serving.empty() || serving == instance) {
            replaced_at.reset();
        } else if (!replaced_at) {
            replaced_at = clock().steady_now();
        }
        if (replaced_at && clock().steady_now() - *replaced_at >= kLastWords) co_return;
        co_await clock().sleep_for(kLook);
    }
}

Task<> InstanceFollower::wait_for_change(base::Duration most) {
    const auto until = clock().steady_now() + most;
    while (watched() && !ended() && clock().steady_now() < until) {
        if (co_await base::with_timeout(clock(), kLook, changed_.wait())) co_return;
    }
}

}  // namespace agentdb9::services
