#include "support/simulation/store.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

#include "base/error.hpp"

namespace agentdb9::test {
namespace {

Task<> turn(SimulatedClock& clock, Random& random) {
    // Mostly what is ready runs in between; sometimes more than that.
    if (random.chance(0.25)) {
        co_await clock.sleep_for(random.between(base::Duration(0), base::Duration(8)));
    } else {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
}

[[noreturn]] void unavailable() {
    throw base::Error(base::ErrorCode::kUnavailable, "database_unavailable", "The database does not answer.");
}

}  // namespace

std::function<Task<>()> SimulatedStore::turns(SimulatedClock& clock, Random& random) {
    return [&clock, &random] { return turn(clock, random); };
}

void SimulatedStore::transact(store::Mode mode, const std::function<void(store::Transaction&)>& work) {
    if (dead_) throw boost::system::system_error(asio::error::operation_aborted);
    auto& random = database_.random();
    if (!reachable_ || random.chance(faults_.fails_before)) unavailable();
    if (server_) {
        database_.transact(*server_, mode, work);
    } else {
        rows_.transact(mode, work);
    }
    if (random.chance(faults_.fails_after)) unavailable();
}

std::unique_ptr<store::Store::Subscription> SimulatedStore::subscribe(Subscriber subscriber) {
    if (!server_) return nullptr;
    auto session = std::make_unique<SimulatedSession>(database_, *server_, reachable_, std::move(subscriber));
    session_ = session.get();
    return session;
}

void SimulatedStore::die(base::Duration database_notices) {
    dead_ = true;
    if (auto* session = std::exchange(session_, nullptr)) session->die(database_notices);
}

void SimulatedStore::cut(const SimulatedSession::Cut& how) {
    reachable_ = false;
    if (session_ != nullptr) session_->cut(how);
}

}  // namespace agentdb9::test
