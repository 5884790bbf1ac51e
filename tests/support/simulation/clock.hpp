// Time that passes only when the simulation says so. What waits for it is woken in the order of the times it
// waits for, and in that of its asking where two are the same. One thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace agentdb9::test {

class SimulatedClock final : public base::Clock {
  public:
    explicit SimulatedClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    base::Time now() const override { return wall_; }
    base::SteadyTime steady_now() const override { return steady_; }
    Task<> sleep_for(base::Duration duration) override;

    // Calls `work` when `delay` is over, from within wake_next().
    void call_in(base::Duration delay, std::move_only_function<void()> work);

    // When the next one wakes; absent when nobody waits.
    std::optional<base::SteadyTime> next() const;
    // Moves on to that time and wakes one. Nobody must be able to run before.
    void wake_next();
    void advance_to(base::SteadyTime time);
    // The wall clock jumps, as when an operator sets it.
    void jump(base::Duration by) { wall_ += by; }

  private:
    using Key = std::pair<base::SteadyTime, std::uint64_t>;
    using Wake = std::move_only_function<void(boost::system::error_code)>;

    Key add(base::Duration delay, Wake wake);
    void cancel(const Key& key);

    asio::any_io_executor executor_;
    base::Time wall_{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};
    base::SteadyTime steady_{std::chrono::hours(1)};
    std::uint64_t asked_ = 0;
    std::map<Key, Wake> waiting_;
};

// A server's own: it may be wrong by as much as an operator lets it.
class SkewedClock final : public base::Clock {
  public:
    explicit SkewedClock(SimulatedClock& clock) : clock_(clock) {}
    base::Time now() const override { return clock_.now() + skew_; }
    base::SteadyTime steady_now() const override { return clock_.steady_now(); }
    Task<> sleep_for(base::Duration duration) override { return clock_.sleep_for(duration); }
    void set_skew(base::Duration skew) { skew_ = skew; }

  private:
    SimulatedClock& clock_;
    base::Duration skew_{0};
};

}  // namespace agentdb9::test
