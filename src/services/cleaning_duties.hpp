// What there is to be put away, and how: volumes, containers, helpers, workspaces that nobody uses. Each call
// looks first, and with `dry_run` only looks. Nothing goes because the database does not know of it
// (docs/decisions/0015): it has to know that it was thrown away. Throws what store and runtime throw; what
// fails of a single thing is told with it. Control executor.
#pragma once

#include <functional>

#include "model/cleaning.hpp"
#include "runtime/volume_files.hpp"
#include "services/docker_volume_service.hpp"
#include "services/route_book.hpp"

namespace agentdb9::services {

class CleaningDuties {
  public:
    // All outlive this.
    CleaningDuties(base::Clock& clock, store::Store& store, runtime::Runtime& runtime,
                   runtime::VolumeFiles& files, DockerVolumeService& volumes, RouteBook& routes,
                   const model::CleaningSettings& settings)
        : clock_(clock),
          store_(store),
          runtime_(runtime),
          files_(files),
          volumes_(volumes),
          routes_(routes),
          settings_(settings) {}

    Task<std::vector<model::CleaningItem>> volumes(bool dry_run);
    Task<std::vector<model::CleaningItem>> containers(bool dry_run);
    Task<std::vector<model::CleaningItem>> failed_starts(bool dry_run);
    Task<std::vector<model::CleaningItem>> inactive(bool dry_run);

  private:
    // Whether the instance is to go, and since when and why that is so; looked at anew just before it goes.
    using Judge = std::function<std::optional<model::CleaningItem>(store::Transaction&)>;
    Task<model::CleaningItem> remove(std::string instance, model::CleaningItem item, Judge judge);
    Task<> helpers(bool dry_run, std::vector<model::CleaningItem>& items);

    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    runtime::VolumeFiles& files_;
    DockerVolumeService& volumes_;
    RouteBook& routes_;
    const model::CleaningSettings& settings_;
};

}  // namespace agentdb9::services
