#include "support/virtual_clock.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

namespace agentdb9::test {

struct VirtualClock::Sleeper {
    explicit Sleeper(const asio::any_io_executor& executor)
        : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;  // never expires; cancelled to wake
    bool woken = false;
};

base::Time VirtualClock::now() const {
    return base::from_unix_ms(1'700'000'000'000) + elapsed();
}

base::Duration VirtualClock::elapsed() const {
    return std::chrono::duration_cast<base::Duration>(now_.time_since_epoch() - std::chrono::hours(1));
}

Task<> VirtualClock::sleep_for(base::Duration duration) {
    Sleeper sleeper(co_await asio::this_coro::executor);
    const auto entry = sleepers_.emplace(now_ + duration, &sleeper);
    struct Leave {
        VirtualClock& clock;
        decltype(entry) at;
        const Sleeper& sleeper;
        ~Leave() {
            if (!sleeper.woken) clock.sleepers_.erase(at);
        }
    } leave{*this, entry, sleeper};
    boost::system::error_code ec;
    co_await sleeper.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (!sleeper.woken) throw boost::system::system_error(asio::error::operation_aborted);
}

bool VirtualClock::advance_to_next() {
    if (sleepers_.empty()) return false;
    const auto next = sleepers_.begin();
    now_ = std::max(now_, next->first);
    next->second->woken = true;
    next->second->timer.cancel();
    sleepers_.erase(next);
    return true;
}

void VirtualClock::advance(base::Duration duration) {
    const auto until = now_ + duration;
    while (!sleepers_.empty() && sleepers_.begin()->first <= until)
        advance_to_next();
    now_ = until;
}

bool drive(asio::io_context& context, VirtualClock& clock, const std::function<bool()>& done) {
    while (!done()) {
        context.restart();
        // Twice: a first poll may only have told the reactor of a new wait.
        if (context.poll_one() > 0 || context.poll_one() > 0) continue;
        if (!clock.advance_to_next()) return false;
    }
    return true;
}

}  // namespace agentdb9::test
