// A server's session with the simulated database, on which it hears what the others notify and by which the
// database knows that it is there (PostgresListener's part). It is opened again after a loss. One thread.
#pragma once

#include <memory>

#include "store/store.hpp"
#include "support/simulation/database.hpp"

namespace agentdb9::test {

class SimulatedSession final : public store::Store::Subscription {
  public:
    // When either end notices that the line is cut; a time of its own for each. Longer than it lasts: never.
    struct Cut {
        base::Duration server_notices{0};
        base::Duration database_notices{0};
    };

    // `reachable`: whether the server reaches the database now. Both outlive this.
    SimulatedSession(SimulatedDatabase& database, std::string server, const bool& reachable,
                     store::Store::Subscriber subscriber);
    ~SimulatedSession() override;

    // The line is cut: `reachable` is false from now on.
    void cut(const Cut& how);
    // The process ends without a goodbye; a database that is told nothing has it for a while.
    void die(base::Duration database_notices);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace agentdb9::test
