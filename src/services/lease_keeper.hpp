// The right to change what a workspace has on the engine, where several servers share the database: one of
// them holds its lease at a time and renews it while it works. The engine knows no fencing; so whoever cannot
// renew stops before the lease is over, and every transaction of the work looks at the lease again (Journal).
// With one server every lease is its own and costs nothing. Control executor.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "services/worker.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

inline constexpr std::chrono::seconds kLeaseTime{60};

class LeaseKeeper {
  public:
    // `server`: this server's name among those on the database; absent: there is no other.
    LeaseKeeper(store::Store& store, base::Clock& clock, std::optional<std::string> server)
        : store_(store), clock_(clock), server_(std::move(server)) {}

    bool shared() const { return server_.has_value(); }
    // True when the worker may change the runtime: its lease is new or lasts. Throws what the store throws.
    Task<bool> take(Worker& worker);
    // Gives it back, when it has one. Never throws but when cancelled: what is not given back runs out.
    Task<> release(Worker& worker);
    // Ends when the lease can no longer be relied upon, some time before it is over.
    Task<> renew_until_lost(Worker& worker);

  private:
    store::Store& store_;
    base::Clock& clock_;
    std::optional<std::string> server_;
};

}  // namespace agentdb9::services
