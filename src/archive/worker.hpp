// A thread that works on one archive, and the pipes that connect it with coroutines. Control executor.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/pipe.hpp"

namespace agentdb9::archive {

class Worker {
  public:
    explicit Worker(const asio::any_io_executor& executor);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();  // stop()

    // Once. What `work` throws is thrown by the coroutines' ends of both pipes and by ended(); when it has
    // ended, `out` is finished and `in` takes no more.
    void start(std::function<void()> work);
    // Waits until the work has ended.
    Task<> ended();
    // Breaks the work off, and waits for its thread.
    void stop();
    // For the work, where it touches no pipe for long: throws when it is broken off.
    void checkpoint() const;

    base::Pipe in;   // to the thread
    base::Pipe out;  // from it

  private:
    base::Pipe end_;
    std::atomic<bool> stopped_ = false;
    std::jthread thread_;
};

}  // namespace agentdb9::archive
