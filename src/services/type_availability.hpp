// Which workspace types can be used: those whose image is on the engine or offered by a registry. Asked by
// every page that shows the catalogue, so answers are kept for a while. Control executor.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "model/workspace_type.hpp"
#include "runtime/runtime.hpp"

namespace agentdb9::services {

class TypeAvailability {
  public:
    // All references outlive this.
    TypeAvailability(asio::any_io_executor executor, base::Clock& clock, runtime::Runtime& runtime,
                     const model::Catalogue& catalogue)
        : clock_(clock), runtime_(runtime), catalogue_(catalogue), scope_(std::move(executor)) {}

    // The names of the types that can be used, as far as that is known within two seconds; while the engine
    // does not answer, as it was last known.
    Task<std::set<std::string>> available();
    // Ends what still asks.
    Task<> close() { return scope_.close(); }

  private:
    struct Image {
        bool on_engine = false;
        bool offered = false;
        bool asked = false;  // the registry, at least once
        base::SteadyTime registry_asked_at;
    };
    Task<> look_at_engine();
    Task<> look_at_registry(std::string image);
    Task<> wait_for_registries();

    base::Clock& clock_;
    runtime::Runtime& runtime_;
    const model::Catalogue& catalogue_;
    std::map<std::string, Image> images_;
    std::set<std::string> asking_;
    std::optional<base::SteadyTime> looked_at_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
