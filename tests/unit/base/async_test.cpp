// What a cancellation may meet: it must never end the program.
#include "base/async.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

namespace agentdb9::base {
namespace {

using namespace std::chrono_literals;

class Async : public testing::Test {
  protected:
    asio::io_context io;
    Scope scope{io.get_executor()};

    void close() {
        asio::co_spawn(io, scope.close(), [](std::exception_ptr) {});
        io.restart();
        io.run();
    }
};

Task<> work_on(BlockingPool& pool, std::atomic<int>& begun, std::atomic<int>& ended, bool& went_on) {
    const int value = co_await pool.run([&] {
        ++begun;
        std::this_thread::sleep_for(20ms);
        ++ended;
        return 7;
    });
    went_on = value == 7;
    co_await asio::post(asio::use_awaitable);
    ADD_FAILURE() << "a cancelled coroutine has gone on";
}

TEST_F(Async, ACancelledCallerOfAPoolWaitsForItsWorkAndEndsThere) {
    BlockingPool pool(2);
    std::atomic<int> begun = 0, ended = 0;
    constexpr int kTasks = 6;  // some of them wait for a thread
    bool went_on[kTasks] = {};
    for (auto& each : went_on)
        scope.spawn("work", work_on(pool, begun, ended, each));
    io.run_for(5ms);
    close();
    EXPECT_EQ(begun, kTasks);
    EXPECT_EQ(ended, kTasks);
    for (const bool each : went_on)
        EXPECT_TRUE(each);
}

// It has never waited for anything when it is cancelled, by what it does itself.
Task<> cancel_own(Scope& scope) {
    scope.cancel();
    co_return;
}

TEST_F(Async, ATaskThatCancelsItselfEnds) {
    scope.spawn("it", cancel_own(scope));
    io.run();
    EXPECT_EQ(scope.size(), 0U);
    close();
}

Task<> cancel_own_within(Scope& scope, bool& threw) {
    try {
        co_await run_unless(
            [](Scope& all) -> Task<> {
                all.cancel();
                co_return;
            }(scope),
            cancel_own(scope));
    } catch (...) {
        threw = is_cancellation(std::current_exception());
        throw;
    }
    co_await asio::post(asio::use_awaitable);
    ADD_FAILURE() << "a cancelled coroutine has gone on";
}

TEST_F(Async, SoDoesOneOfTwo) {
    bool threw = false;
    scope.spawn("it", cancel_own_within(scope, threw));
    io.run();
    EXPECT_EQ(scope.size(), 0U);
    close();
}

}  // namespace
}  // namespace agentdb9::base
