#include "services/lease_keeper.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {
namespace {

constexpr std::chrono::seconds kRenewal{10};
// What a call to the engine that has been given up may still take to have its effect.
constexpr std::chrono::seconds kMargin{20};

}  // namespace

void LeaseKeeper::present(base::SteadyTime time) {
    present_until_ = std::max(present_until_, time + kPresence);
}

void LeaseKeeper::absent() {
    present_until_ = {};
    absent_.notify_all();
}

bool LeaseKeeper::may_act(const Worker& worker) const {
    if (!server_) return true;
    return worker.lease && is_present() && clock_.steady_now() + kMargin < worker.lease_until;
}

Task<bool> LeaseKeeper::take(Worker& worker) {
    if (!server_) co_return true;
    if (!is_present()) {
        worker.lease.reset();
        co_return false;
    }
    const auto began = clock_.steady_now();
    const auto token = co_await store_.write([id = worker.id, server = *server_](store::Transaction& tx) {
        return tx.leases().take(id, server, kLeaseTime);
    });
    if (!token) {
        worker.lease.reset();
        co_return false;
    }
    // What died before did so under another's hands.
    if (!worker.lease) worker.deaths.clear();
    worker.lease = Lease{*server_, *token};
    worker.lease_until = began + kLeaseTime;
    co_return true;
}

Task<> LeaseKeeper::release(Worker& worker) {
    if (!server_ || !worker.lease) co_return;
    // What was given up has its effect while the lease is still this server's.
    const auto left = std::chrono::ceil<base::Duration>(worker.gave_up + kGivenUp - clock_.steady_now());
    if (left.count() > 0) co_await clock_.sleep_for(left);
    worker.lease.reset();
    try {
        co_await store_.write(
            [id = worker.id, server = *server_](store::Transaction& tx) { tx.leases().release(id, server); });
    } catch (const base::Error& error) {
        log::debug("a lease runs out by itself",
                   {{"workspaceId", worker.id.view()}, {"reason", error.what()}});
    }
}

Task<> LeaseKeeper::until_lost(Worker& worker) {
    co_await base::run_unless(until_absent(), renew(worker));
}

Task<> LeaseKeeper::until_absent() {
    while (is_present()) {
        const auto left = std::chrono::ceil<base::Duration>(present_until_ - clock_.steady_now());
        co_await base::with_timeout(clock_, left, absent_.wait());
    }
}

Task<> LeaseKeeper::renew(Worker& worker) {
    for (;;) {
        co_await clock_.sleep_for(kRenewal);
        const auto held = worker.lease;
        bool renewed = false;
        try {
            renewed = co_await take(worker) && held && worker.lease->token == held->token;
        } catch (const base::Error& error) {
            log::warning("a lease could not be renewed",
                         {{"workspaceId", worker.id.view()}, {"reason", error.what()}});
            if (clock_.steady_now() + kRenewal + kMargin < worker.lease_until) continue;
        }
        if (!renewed) co_return;
    }
}

}  // namespace agentdb9::services
