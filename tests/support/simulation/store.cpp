#include "support/simulation/store.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

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
    if (random_.chance(faults_.fails_before)) unavailable();
    database_.transact(mode, work);
    if (random_.chance(faults_.fails_after)) unavailable();
}

}  // namespace agentdb9::test
