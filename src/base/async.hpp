// Coroutines: who owns them and how long they may wait.
//
// OK:   scope_.spawn("reconcile", reconcile(id));            // parameters are values
// BUG:  scope_.spawn("reconcile", [&]() -> Task<> { … }());  // the lambda dies before its coroutine does
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

namespace agentdb9 {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

}  // namespace agentdb9

namespace agentdb9::base {

class Clock;

// Owns the coroutines that a component starts. Declared last in its class. Every call on the scope's
// executor, which runs on one thread. `close()` must have finished before the scope dies; it is safe to call
// it twice.
class Scope {
  public:
    explicit Scope(asio::any_io_executor executor);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

    // Starts `task`. An exception that leaves it (other than cancellation) is logged under `name`. After
    // close() the task is dropped unstarted.
    void spawn(std::string name, Task<> task);
    // Cancels every task (terminal cancellation) and waits until the last has ended.
    Task<> close();
    // Asks every task to end, without waiting.
    void cancel();
    std::size_t size() const;

    const asio::any_io_executor& executor() const { return executor_; }

  private:
    struct Entry;
    struct State;
    asio::any_io_executor executor_;
    std::shared_ptr<State> state_;
};

// True for the error that a cancelled wait throws.
bool is_cancellation(const std::exception_ptr& error);

// One waiter or many: wakes all that wait. Every call on one executor.
class Signal {
  public:
    explicit Signal(const asio::any_io_executor& executor);
    void notify_all();
    // Returns at the next notify_all(); throws operation_aborted when cancelled.
    Task<> wait();

  private:
    asio::steady_timer timer_;  // never expires; cancelled to wake its waiters
};

// Runs `task`, at most for `limit` of the clock's time; then cancels it and returns nothing. An exception of
// the task is thrown on.
template <class T>
Task<std::optional<T>> with_timeout(Clock& clock, std::chrono::milliseconds limit, Task<T> task);
// The same for a task without a result: false when the time ran out.
Task<bool> with_timeout(Clock& clock, std::chrono::milliseconds limit, Task<> task);
// Runs `task` until `reason` ends; then cancels it and returns false. What the task throws is thrown on.
Task<bool> run_unless(Task<> reason, Task<> task);

// Runs `task` until `end` is over; then cancels it and returns nothing. An exception of either is thrown on.
template <class T>
Task<std::optional<T>> until(Task<T> task, Task<> end);

namespace detail {
template <class R>
struct Boxed {
    using type = std::optional<R>;
};
template <>
struct Boxed<void> {
    using type = void;
};
}  // namespace detail

// Blocking work (SQL, files, password hashing) off the loops. With zero threads the work runs at once on the
// caller's thread; with a `turn` it does too, but lets others have theirs before and after it, as threads
// would: the simulation's way.
class BlockingPool {
  public:
    explicit BlockingPool(std::size_t threads);
    explicit BlockingPool(std::function<Task<>()> turn);
    ~BlockingPool();  // waits for running work

    // Runs `work` on the pool and resumes the caller on its own executor. What `work` throws is thrown here.
    // A caller that is cancelled meanwhile gets what came of it, and ends at its next wait.
    template <class F>
    Task<std::invoke_result_t<F&>> run(F work) {
        if (turn_) co_return co_await run_in_turn(std::move(work));
        if (!pool_) co_return work();
        // A cancellation must not reach into another thread: Asio would end the program for it (1.81: what it
        // awaits after the coroutine's end throws, and nobody catches that).
        constexpr auto kUncancelled = [] {
            return asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
        };
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            co_await asio::co_spawn(*pool_, invoke(std::move(work)), kUncancelled());
        } else {
            co_return std::move(*co_await asio::co_spawn(*pool_, invoke(std::move(work)), kUncancelled()));
        }
    }

  private:
    // Results travel in an optional: Asio makes an empty one when the work throws, and not every value has a
    // default.
    template <class F>
    static auto invoke(F work) -> Task<typename detail::Boxed<std::invoke_result_t<F&>>::type> {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            work();
            co_return;
        } else {
            co_return std::optional<std::invoke_result_t<F&>>(work());
        }
    }
    template <class F>
    Task<std::invoke_result_t<F&>> run_in_turn(F work) {
        co_await turn_();
        std::exception_ptr failure;
        constexpr bool kNoResult = std::is_void_v<std::invoke_result_t<F&>>;
        std::optional<std::conditional_t<kNoResult, std::monostate, std::invoke_result_t<F&>>> result;
        try {
            if constexpr (kNoResult) {
                work();
            } else {
                result.emplace(work());
            }
        } catch (...) {
            failure = std::current_exception();
        }
        co_await turn_();
        if (failure) std::rethrow_exception(failure);
        if constexpr (!kNoResult) co_return std::move(*result);
    }

    std::unique_ptr<asio::thread_pool> pool_;
    std::function<Task<>()> turn_;
};

}  // namespace agentdb9::base

#include "base/async_impl.hpp"
