// Pauses what runs on a project's volume while that is copied, for a minute at most: whoever works with it
// waits, and must not wait long. The operation's row says so, so that no reconciler resumes it early, and
// none forgets to when this server dies. Control executor.
#pragma once

#include <vector>

#include "base/clock.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class Freeze {
  public:
    // All outlive this. `volume`: what the operation's project has.
    Freeze(base::Clock& clock, store::Store& store, runtime::Runtime& runtime, base::OperationId operation,
           std::string volume)
        : clock_(clock),
          store_(store),
          runtime_(runtime),
          operation_(operation),
          volume_(std::move(volume)) {}

    // Throws what the store and the runtime throw; end() has to follow then, too.
    Task<> begin();
    // Its minute is over: end() should follow, and the copy is none of one moment.
    bool over() const;
    // Whatever was paused goes on. What cannot be resumed now is by the reconciler, before long. Throws only
    // when it is cancelled.
    Task<> end();
    bool active() const { return active_; }

  private:
    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    base::OperationId operation_;
    std::string volume_;
    bool active_ = false;
    base::SteadyTime until_;
    std::vector<std::string> paused_;
};

}  // namespace agentdb9::services
