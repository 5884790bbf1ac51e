// One database that several simulated servers share, as PostgreSQL does it: it tells the others what one has
// committed, knows whose sessions stand, and has a clock of its own that never jumps. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "store/sqlite/sqlite_store.hpp"
#include "support/simulation/clock.hpp"
#include "support/simulation/random.hpp"

namespace agentdb9::test {

class SimulatedDatabase {
  public:
    // All outlive this.
    SimulatedDatabase(store::SqliteStore& rows, SimulatedClock& clock, Random& random)
        : rows_(rows), clock_(clock), random_(random) {}

    // A transaction of the server of this name.
    void transact(const std::string& server, store::Mode mode,
                  const std::function<void(store::Transaction&)>& work);

    base::Time now() const;
    bool present(const std::string& server) const { return sessions_.contains(server); }
    // A session begins, and ends.
    void enter(const std::string& server) { sessions_.insert(server); }
    void leave(const std::string& server);

    // Called with what servers other than `server` notify, in order. Returns what unsubscribes.
    std::uint64_t listen(const std::string& server, std::function<void(const std::string&)> listener);
    void unlisten(std::uint64_t subscription) { listeners_.erase(subscription); }

    SimulatedClock& clock() { return clock_; }
    Random& random() { return random_; }

  private:
    class View;
    struct Listener {
        std::string server;
        std::function<void(const std::string&)> hear;
    };

    store::SqliteStore& rows_;
    SimulatedClock& clock_;
    Random& random_;
    std::multiset<std::string> sessions_;
    std::uint64_t subscriptions_ = 0;
    std::map<std::uint64_t, Listener> listeners_;
};

}  // namespace agentdb9::test
