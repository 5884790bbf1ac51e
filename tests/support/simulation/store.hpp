// The store as one incarnation of a simulated server sees it: each transaction takes a moment in which others
// run, the database may not answer, and after a crash nothing that this incarnation still does reaches it.
#pragma once

#include "store/sqlite/sqlite_store.hpp"
#include "support/simulation/clock.hpp"
#include "support/simulation/random.hpp"

namespace agentdb9::test {

struct StoreFaults {
    double fails_before = 0;  // database_unavailable, nothing happened
    double fails_after = 0;   // database_unavailable, though it was committed
};

class SimulatedStore final : public store::Store {
  public:
    // All outlive this.
    SimulatedStore(store::SqliteStore& database, SimulatedClock& clock, Random& random,
                   const StoreFaults& faults)
        : Store(turns(clock, random)), database_(database), random_(random), faults_(faults) {}
    ~SimulatedStore() override { join(); }

    void transact(store::Mode mode, const std::function<void(store::Transaction&)>& work) override;
    std::optional<std::string> server_name() const override { return std::nullopt; }
    std::unique_ptr<Subscription> subscribe(Subscriber) override { return nullptr; }
    store::Migrated migrate() override { return database_.migrate(); }
    std::vector<std::string> pending_migrations() override { return database_.pending_migrations(); }
    std::string describe() const override { return database_.describe(); }

    // The process is gone: every call from now on ends as if cancelled.
    void die() { dead_ = true; }

  private:
    static std::function<Task<>()> turns(SimulatedClock& clock, Random& random);

    store::SqliteStore& database_;
    Random& random_;
    const StoreFaults& faults_;
    bool dead_ = false;
};

}  // namespace agentdb9::test
