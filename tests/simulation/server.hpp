// One incarnation of the server: the real services on the simulated store, runtime and clock. It dies between
// any two steps, and the next one begins with what the database and the engine hold.
#pragma once

#include <memory>

#include "services/docker_volume_service.hpp"
#include "services/project_workspace_service.hpp"
#include "services/projects_service.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"
#include "support/simulation/loop.hpp"
#include "support/simulation/runtime.hpp"
#include "support/simulation/store.hpp"

namespace agentdb9::simulation {

// What outlives the server.
struct Machine {
    test::SimulatedLoop& loop;
    test::Random& random;
    test::SimulatedEngine& engine;
    store::SqliteStore& database;
    const model::Catalogue& catalogue;
    base::InstallationId installation;
    test::StoreFaults store_faults;
    test::RuntimeFaults runtime_faults;
};

class Server {
  public:
    using Published = std::function<void(std::shared_ptr<const model::RouteTable>)>;

    Server(Machine& machine, Published published);

    // Begins to work; `up` is true once requests are taken.
    void boot();
    bool up() const { return up_; }
    // Ends at once; nothing that it still does has an effect.
    void crash();
    // Ends as on SIGTERM. False when it does not end within `limit`.
    bool shut_down(base::Duration limit);

    test::SimulatedStore store;
    test::SimulatedRuntime runtime;
    services::RouteBook routes;
    services::Reconciler reconciler;
    services::WorkspaceContainerService containers;
    services::DockerVolumeService volumes;
    services::WorkspacesService workspaces;
    services::ProjectsService projects;
    services::ProjectWorkspaceService assignments;
    base::Scope requests;

  private:
    static Task<> start(Server& server);
    static Task<> close(Server& server);
    static Task<> hand_out(Server& server, std::shared_ptr<const model::RouteTable> table);
    bool finish(base::Duration limit);

    Machine& machine_;
    Published published_;
    bool up_ = false;
    bool dead_ = false;
    bool closed_ = false;
};

inline constexpr std::chrono::days kTrashTime{7};

}  // namespace agentdb9::simulation
