#include "support/simulation/loop.hpp"

#include <stdexcept>

namespace agentdb9::test {

SimulatedLoop::SimulatedLoop(Threads threads)
    : context_(threads == Threads::kNone ? BOOST_ASIO_CONCURRENCY_HINT_UNSAFE : 1),
      work_(context_.get_executor()),
      clock_(executor()) {}

SimulatedLoop::~SimulatedLoop() = default;

void SimulatedLoop::run_ready() {
    while (context_.poll() > 0) {
    }
}

void SimulatedLoop::step() {
    if (run_one()) return;
    if (idle_) idle_();
    if (clock_.next()) clock_.wake_next();
}

void SimulatedLoop::run_for(base::Duration duration) {
    run_until([] { return false; }, duration);
}

bool SimulatedLoop::run_until(const std::function<bool()>& done, base::Duration limit) {
    const auto end = clock_.steady_now() + limit;
    for (;;) {
        run_ready();
        if (idle_) idle_();
        if (done()) return true;
        const auto next = clock_.next();
        if (!next || *next > end) {
            clock_.advance_to(end);
            return false;
        }
        clock_.wake_next();
    }
}

void SimulatedLoop::run(Task<> task) {
    std::exception_ptr failure;
    bool ended = false;
    asio::co_spawn(executor(), std::move(task), [&](std::exception_ptr error) {
        failure = error;
        ended = true;
    });
    finish(ended, failure);
}

void SimulatedLoop::finish(const bool& ended, const std::exception_ptr& failure) {
    run_until([&] { return ended; }, std::chrono::hours(1));
    if (!ended) throw std::runtime_error("the coroutine does not end");
    if (failure) std::rethrow_exception(failure);
}

}  // namespace agentdb9::test
