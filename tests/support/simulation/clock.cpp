#include "support/simulation/clock.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace agentdb9::test {

Task<> SimulatedClock::sleep_for(base::Duration duration) {
    auto initiate = [this, duration](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        const auto key = add(duration, [executor = executor_, slot,
                                        handler = std::move(handler)](boost::system::error_code ec) mutable {
            slot.clear();
            asio::post(executor, asio::append(std::move(handler), ec));
        });
        if (slot.is_connected()) {
            slot.assign([this, key](asio::cancellation_type type) {
                if (type != asio::cancellation_type::none) cancel(key);
            });
        }
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(boost::system::error_code)>(
        std::move(initiate), asio::use_awaitable);
}

void SimulatedClock::call_in(base::Duration delay, std::move_only_function<void()> work) {
    add(delay, [work = std::move(work)](boost::system::error_code) mutable { work(); });
}

SimulatedClock::Key SimulatedClock::add(base::Duration delay, Wake wake) {
    const Key key(steady_ + std::max(delay, base::Duration(0)), asked_++);
    waiting_.emplace(key, std::move(wake));
    return key;
}

void SimulatedClock::cancel(const Key& key) {
    auto node = waiting_.extract(key);
    if (!node.empty()) node.mapped()(asio::error::operation_aborted);
}

std::optional<base::SteadyTime> SimulatedClock::next() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first.first;
}

void SimulatedClock::wake_next() {
    auto node = waiting_.extract(waiting_.begin());
    advance_to(node.key().first);
    node.mapped()(boost::system::error_code());
}

void SimulatedClock::advance_to(base::SteadyTime time) {
    if (time <= steady_) return;
    wall_ += std::chrono::duration_cast<base::Duration>(time - steady_);
    steady_ = time;
}

}  // namespace agentdb9::test
