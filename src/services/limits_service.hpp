// Whether what a workspace may use is in force already. Control executor.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/workspace_type.hpp"
#include "services/reconciler.hpp"

namespace agentdb9::services {

class LimitsService {
  public:
    LimitsService(base::Clock& clock, Reconciler& reconciler, const model::Catalogue& catalogue)
        : clock_(clock), reconciler_(reconciler), catalogue_(catalogue) {}

    // As its type has them where the catalogue has no such type any more: then none are known.
    std::optional<model::ResourceLimits> in_force(const model::Workspace& workspace) const;

    struct Pending {
        std::vector<std::string> fields;  // that its instance gets at the next start only
        std::string problem;              // why, where that is not by their nature; empty else
    };
    // Has the reconciler look at it, and waits for what it does, some seconds at most.
    Task<Pending> apply(model::Workspace workspace);
    // As it was when the reconciler looked last. Nothing is pending for one that does not run.
    Pending pending(const model::Workspace& workspace) const;

  private:
    base::Clock& clock_;
    Reconciler& reconciler_;
    const model::Catalogue& catalogue_;
};

}  // namespace agentdb9::services
