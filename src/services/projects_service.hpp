// Projects as rows, and their way into the trash. Control executor. Throws Error{kNotFound} for what is not
// the user's.
#pragma once

#include <optional>
#include <string>

#include "services/docker_volume_service.hpp"
#include "services/reconciler.hpp"

namespace agentdb9::services {

// What a client may set; absent members stay as they are (or get their default).
struct ProjectFields {
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<std::string> repository_url;
    std::optional<std::string> local_path;
    std::optional<std::string> framework;
    std::optional<std::string> language;
    std::optional<std::string> status;
    std::optional<json::array> agents;
};

class ProjectsService {
  public:
    ProjectsService(base::Clock& clock, store::Store& store, DockerVolumeService& volumes,
                    Reconciler& reconciler, std::chrono::days trash_time)
        : clock_(clock), store_(store), volumes_(volumes), reconciler_(reconciler), trash_time_(trash_time) {}

    Task<model::Project> create(base::UserId user, ProjectFields fields);
    Task<model::Project> find(base::UserId user, base::ProjectId id);
    Task<store::Listing<model::Project>> list(base::UserId user, store::Page page);
    Task<model::Project> update(base::UserId user, base::ProjectId id, ProjectFields fields);
    // Its volume goes into the trash. kConflict "project_in_use" while a workspace runs with it.
    Task<model::Project> remove(base::UserId user, base::ProjectId id);

  private:
    base::Clock& clock_;
    store::Store& store_;
    DockerVolumeService& volumes_;
    Reconciler& reconciler_;
    std::chrono::days trash_time_;
};

}  // namespace agentdb9::services
