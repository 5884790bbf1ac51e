// Runs coroutines on simulated time: whatever is ready runs first, one handler after the other on this
// thread; only when nothing is, the clock moves to the next moment for which somebody waits. So a run is a
// function of its seed alone.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>

#include "support/simulation/clock.hpp"

namespace agentdb9::test {

class SimulatedLoop {
  public:
    // kPool: threads of a pool's hand their results back, so that a run is not a function of its seed.
    enum class Threads { kNone, kPool };
    explicit SimulatedLoop(Threads threads = Threads::kNone);
    ~SimulatedLoop();

    asio::any_io_executor executor() { return context_.get_executor(); }
    SimulatedClock& clock() { return clock_; }
    const SimulatedClock& clock() const { return clock_; }

    // Runs one ready handler; false when there is none.
    bool run_one() { return context_.poll_one() > 0; }
    // The smallest step: one ready handler, or else the clock moves and wakes one.
    void step();
    // Runs until nothing is ready, without moving the clock.
    void run_ready();
    // Runs for `duration` of simulated time.
    void run_for(base::Duration duration);
    // Runs until `done`, or until `limit` of simulated time is over or nothing is left to wait for: then
    // false.
    bool run_until(const std::function<bool()>& done, base::Duration limit);

    // Called each time when nothing is ready and the clock is about to move.
    void on_idle(std::function<void()> callback) { idle_ = std::move(callback); }

    // Runs a coroutine to its end and returns what it returns. Throws what it throws; std::runtime_error
    // when it does not end within a simulated hour.
    template <class T>
    T run(Task<T> task) {
        std::optional<T> result;
        std::exception_ptr failure;
        bool ended = false;
        asio::co_spawn(executor(), base::boxed(std::move(task)),
                       [&](std::exception_ptr error, std::optional<T> value) {
                           failure = error;
                           if (!error) result = std::move(value);
                           ended = true;
                       });
        finish(ended, failure);
        return std::move(*result);
    }
    void run(Task<> task);

  private:
    void finish(const bool& ended, const std::exception_ptr& failure);

    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    SimulatedClock clock_;
    std::function<void()> idle_;
};

}  // namespace agentdb9::test
