#include "base/async.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace agentdb9::base {

struct Scope::Entry {
    std::string name;
    asio::cancellation_signal signal;
};

struct Scope::State {
    explicit State(const asio::any_io_executor& executor) : empty(executor) {}
    std::list<Entry> entries;
    Signal empty;
    bool closed = false;
};

Scope::Scope(asio::any_io_executor executor)
    : executor_(std::move(executor)), state_(std::make_shared<State>(executor_)) {}

Scope::~Scope() {
    if (!state_->entries.empty()) {
        log::error("a scope died before its tasks", {{"task", state_->entries.front().name}});
        std::abort();
    }
}

void Scope::spawn(std::string name, Task<> task) {
    if (state_->closed) return;
    auto entry = state_->entries.emplace(state_->entries.end());
    entry->name = std::move(name);
    // The one detached-like spawn of the program: the handler below is its owner.
    asio::co_spawn(
        executor_, contained(std::move(task)),
        asio::bind_cancellation_slot(entry->signal.slot(), [state = state_, entry](std::exception_ptr error) {
            if (error && !is_cancellation(error))
                log::exception("task failed", error, {{"task", entry->name}});
            state->entries.erase(entry);
            if (state->entries.empty()) state->empty.notify_all();
        }));
}

void Scope::cancel() {
    // A task may end, and erase its entry, while it is told to.
    auto& entries = state_->entries;
    for (auto it = entries.begin(); it != entries.end();) {
        auto current = it++;
        current->signal.emit(asio::cancellation_type::terminal);
    }
}

Task<> Scope::close() {
    state_->closed = true;
    auto state = state_;
    co_await asio::dispatch(executor_, asio::use_awaitable);
    cancel();
    while (!state->entries.empty())
        co_await state->empty.wait();
}

std::size_t Scope::size() const {
    return state_->entries.size();
}

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& failure) {
        return failure.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

Signal::Signal(const asio::any_io_executor& executor)
    : timer_(executor, asio::steady_timer::time_point::max()) {}

void Signal::notify_all() {
    timer_.cancel();
}

Task<> Signal::wait() {
    boost::system::error_code ec;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

Task<> contained(Task<> task) {
    std::exception_ptr failure;
    try {
        co_await std::move(task);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    if (failure) std::rethrow_exception(failure);
}

Task<> sleep_on(Clock& clock, std::chrono::milliseconds duration) {
    co_await clock.sleep_for(duration);
}

Task<bool> with_timeout(Clock& clock, std::chrono::milliseconds limit, Task<> task) {
    return run_unless(sleep_on(clock, limit), std::move(task));
}

Task<bool> run_unless(Task<> reason, Task<> task) {
    auto executor = co_await asio::this_coro::executor;
    auto [order, error, reason_error] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(executor, contained(std::move(task)), asio::deferred),
            asio::co_spawn(executor, contained(std::move(reason)), asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    (void)reason_error;
    if (order[0] == 1 && error) {
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
            std::rethrow_exception(error);
        }
        co_return false;
    }
    if (error) std::rethrow_exception(error);
    co_return true;
}

BlockingPool::BlockingPool(std::size_t threads)
    : pool_(threads == 0 ? nullptr : std::make_unique<asio::thread_pool>(threads)) {}

BlockingPool::BlockingPool(std::function<Task<>()> turn) : turn_(std::move(turn)) {}

BlockingPool::~BlockingPool() {
    if (pool_) pool_->join();
}

}  // namespace agentdb9::base
