// One incarnation of the server: the real services on the simulated store, runtime and clock. It dies between
// any two steps, and the next one begins with what the database and the engine hold.
#pragma once

#include <memory>

#include "services/docker_volume_service.hpp"
#include "services/limits_service.hpp"
#include "services/neighbours.hpp"
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
    test::SimulatedDatabase& shared;  // the same, as several servers see it
    const model::Catalogue& catalogue;
    base::InstallationId installation;
    test::StoreFaults store_faults;
    test::RuntimeFaults runtime_faults;
};

class Server {
  public:
    using Published = std::function<void(std::shared_ptr<const model::RouteTable>)>;

    // `name`: its own among those on the database; absent: it is the only one.
    Server(Machine& machine, std::optional<std::string> name, Published published);

    // Begins to work; `up` is true once requests are taken.
    void boot();
    bool up() const { return up_; }
    // Ends at once; nothing that it still does has an effect, but for what the engine has been asked already.
    // The database may think for a while that it is still there.
    void crash(base::Duration database_notices = base::Duration(0));
    // Ends as on SIGTERM. False when it does not end within `limit`.
    bool shut_down(base::Duration limit);

    std::size_t pending = 0;  // requests that have not been answered

    test::SkewedClock clock;
    test::SimulatedStore store;
    test::SimulatedRuntime runtime;
    services::RouteBook routes;
    services::Reconciler reconciler;
    services::WorkspaceContainerService containers;
    services::DockerVolumeService volumes;
    services::WorkspacesService workspaces;
    services::LimitsService limits;
    services::ProjectsService projects;
    services::ProjectWorkspaceService assignments;
    services::Authenticator authenticator;
    services::Neighbours neighbours;
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
