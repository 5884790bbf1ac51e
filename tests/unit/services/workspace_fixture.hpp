// A workspace on a simulated engine, with a runtime that a test has made its own. `Runtime`: a
// SimulatedRuntime made of the engine, the clock, the random source and the faults.
#pragma once

#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"
#include "support/simulation/runtime.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {

template <class Runtime>
class WorkspaceOn : public ServicesTest {
  protected:
    WorkspaceOn() {
        routes_.set_publisher([](auto) -> Task<> { co_return; });
        for (const auto& type : catalogue_.all())
            engine_.images().insert(type.container_image);
        write([user = user_](store::Transaction& tx) { tx.users().insert(model::User{.id = user}); });
        run(reconciler_.start());
        workspace_ = run(workspaces_.create(user_, {.type = "spreadsheet"})).id;
    }
    ~WorkspaceOn() override { run(reconciler_.stop()); }

    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    Runtime runtime_{engine_, clock_, random_, faults_};
    model::Catalogue catalogue_{model::built_in_types()};
    RouteBook routes_{catalogue_};
    Reconciler reconciler_{loop_.executor(), clock_, *store_, runtime_, catalogue_, routes_, {}};
    WorkspaceContainerService containers_{clock_, *store_, runtime_, reconciler_, routes_, catalogue_};
    WorkspacesService workspaces_{clock_, *store_, routes_, catalogue_};
    base::UserId user_ = base::UserId::generate();
    base::WorkspaceId workspace_ = base::WorkspaceId::generate();
};

}  // namespace agentdb9::services
