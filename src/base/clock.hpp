// The seam between real and simulated time. Control-plane code never asks the system for the time or waits on
// a timer of its own: it asks its Clock, so that a simulation can run years of it in a second, and replay
// them.
#pragma once

#include "base/async.hpp"
#include "base/time.hpp"

namespace agentdb9::base {

class Clock {
  public:
    virtual ~Clock() = default;
    // Wall clock; may jump. Any thread.
    virtual Time now() const = 0;
    // Never goes back. Any thread.
    virtual SteadyTime steady_now() const = 0;
    // Waits at least `duration`. Throws operation_aborted when the awaiting coroutine is cancelled. On the
    // caller's executor.
    virtual Task<> sleep_for(Duration duration) = 0;
};

class SystemClock final : public Clock {
  public:
    Time now() const override;
    SteadyTime steady_now() const override;
    Task<> sleep_for(Duration duration) override;
};

}  // namespace agentdb9::base
