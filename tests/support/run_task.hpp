// Runs a coroutine to its end on the test's own thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "base/async.hpp"

namespace agentdb9::test {

template <class T>
T run_task(Task<T> task) {
    asio::io_context context;
    std::exception_ptr failure;
    std::optional<T> result;
    asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T value) {
        failure = error;
        if (!error) result.emplace(std::move(value));
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

}  // namespace agentdb9::test
