// The right to change what a workspace has on the engine, where several servers share the database: one of
// them holds its lease at a time and renews it while it works. The engine knows no fencing; so whoever cannot
// renew stops before the lease is over, and every transaction of the work looks at the lease again (Journal).
// A server whose session with the database has ended loses its leases to others soon (store::kGoneAfter): it
// uses them only for as long as it knows that its session stood a moment ago (docs/decisions/0008). With one
// server every lease is its own and costs nothing. Control executor.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "services/worker.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

inline constexpr std::chrono::seconds kLeaseTime{60};
// For how long a server relies on the last sign that its session stands.
inline constexpr std::chrono::milliseconds kPresence{1500};
// Within this a call that was given up has its effect: nobody, not the one who gave it up either, goes on
// with the workspace before.
inline constexpr std::chrono::seconds kGivenUp{1};
static_assert(kPresence + kGivenUp <= store::kGoneAfter);

class LeaseKeeper {
  public:
    // `server`: this server's name among those on the database; absent: there is no other.
    LeaseKeeper(const asio::any_io_executor& executor, store::Store& store, base::Clock& clock,
                std::optional<std::string> server)
        : store_(store), clock_(clock), server_(std::move(server)), absent_(executor) {}

    bool shared() const { return server_.has_value(); }
    // The database knew at `time` that this server is there; it may not know it any more.
    void present(base::SteadyTime time);
    void absent();
    // May the engine be asked for a change now?
    bool may_act(const Worker& worker) const;
    // True when the worker may change the runtime: its lease is new or lasts. Throws what the store throws.
    Task<bool> take(Worker& worker);
    // Gives it back, when it has one. Never throws but when cancelled: what is not given back runs out.
    Task<> release(Worker& worker);
    // Renews the lease, and ends when it can no longer be relied upon, some time before it is over.
    Task<> until_lost(Worker& worker);

  private:
    bool is_present() const { return clock_.steady_now() < present_until_; }
    Task<> renew(Worker& worker);
    Task<> until_absent();

    store::Store& store_;
    base::Clock& clock_;
    std::optional<std::string> server_;
    base::SteadyTime present_until_{};
    base::Signal absent_;
};

}  // namespace agentdb9::services
