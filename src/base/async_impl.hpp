// The template bodies of async.hpp.
#pragma once

namespace agentdb9::base {

Task<> sleep_on(Clock& clock, std::chrono::milliseconds duration);

// For what is spawned: after the task's end Asio (1.81) awaits something itself; where the task has been
// cancelled that would throw, past everybody, and end the program.
template <class T>
Task<std::optional<T>> boxed(Task<T> task) {
    std::optional<T> value;
    std::exception_ptr failure;
    try {
        value.emplace(co_await std::move(task));
    } catch (...) {
        failure = std::current_exception();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    if (failure) std::rethrow_exception(failure);
    co_return value;
}
Task<> contained(Task<> task);

template <class T>
Task<std::optional<T>> until(Task<T> task, Task<> end) {
    auto executor = co_await asio::this_coro::executor;
    auto [order, error, value, end_error] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(executor, boxed(std::move(task)), asio::deferred),
            asio::co_spawn(executor, contained(std::move(end)), asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] == 1 && error) {
        // The end came first. The task was cancelled; what it threw on its way out is the cancellation.
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
            std::rethrow_exception(error);
        }
        if (end_error) std::rethrow_exception(end_error);
        co_return std::nullopt;
    }
    if (error) std::rethrow_exception(error);
    co_return std::move(value);
}

template <class T>
Task<std::optional<T>> with_timeout(Clock& clock, std::chrono::milliseconds limit, Task<T> task) {
    return until(std::move(task), sleep_on(clock, limit));
}

}  // namespace agentdb9::base
