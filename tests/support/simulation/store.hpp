// The store as one incarnation of a simulated server sees it: each transaction takes a moment in which others
// run, the database may not answer, and after a crash nothing that this incarnation still does reaches it.
#pragma once

#include <optional>

#include "store/sqlite/sqlite_store.hpp"
#include "support/simulation/session.hpp"

namespace agentdb9::test {

struct StoreFaults {
    double fails_before = 0;  // database_unavailable, nothing happened
    double fails_after = 0;   // database_unavailable, though it was committed
};

class SimulatedStore final : public store::Store {
  public:
    // `server`: its name among those on the database; absent: it is the only one. All else outlives this.
    SimulatedStore(store::SqliteStore& rows, SimulatedDatabase& database, std::optional<std::string> server,
                   const StoreFaults& faults)
        : Store(turns(database.clock(), database.random())),
          rows_(rows),
          database_(database),
          server_(std::move(server)),
          faults_(faults) {}
    ~SimulatedStore() override { join(); }

    void transact(store::Mode mode, const std::function<void(store::Transaction&)>& work) override;
    std::optional<std::string> server_name() const override { return server_; }
    std::unique_ptr<Subscription> subscribe(Subscriber subscriber) override;
    store::Migrated migrate() override { return rows_.migrate(); }
    std::vector<std::string> pending_migrations() override { return rows_.pending_migrations(); }
    std::string describe() const override { return rows_.describe(); }

    // The process is gone: every call from now on ends as if cancelled. Its session may stand for a while
    // yet.
    void die(base::Duration database_notices = base::Duration(0));
    // The line to the database is cut, and whole again.
    void cut(const SimulatedSession::Cut& how);
    void mend() { reachable_ = true; }

  private:
    static std::function<Task<>()> turns(SimulatedClock& clock, Random& random);

    store::SqliteStore& rows_;
    SimulatedDatabase& database_;
    std::optional<std::string> server_;
    const StoreFaults& faults_;
    bool dead_ = false;
    bool reachable_ = true;
    SimulatedSession* session_ = nullptr;  // the subscriber's
};

}  // namespace agentdb9::test
