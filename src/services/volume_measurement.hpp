// What users' volumes hold, measured now and then where somebody's are limited: quotas of volumes are soft.
// Control executor.
#pragma once

#include "base/clock.hpp"
#include "model/quota.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class VolumeMeasurement {
  public:
    // `of_all`: as the configuration has it.
    VolumeMeasurement(base::Clock& clock, store::Store& store, runtime::Runtime& runtime, model::Quota of_all)
        : clock_(clock), store_(store), runtime_(runtime), of_all_(of_all) {}

    // The engine reads all of them through, which may take minutes: nothing is measured where nobody's are
    // limited. Throws what store and runtime throw.
    Task<> measure();
    // Every hour, until cancelled. What fails is tried again.
    Task<> run();

  private:
    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    model::Quota of_all_;
};

}  // namespace agentdb9::services
