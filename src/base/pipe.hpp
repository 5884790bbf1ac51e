// A bounded queue of bytes from one writer to one reader. Each of the two is a coroutine on the pipe's
// executor or a thread of its own; who finds it full or empty waits. The pipe outlives both.
#pragma once

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.hpp"

namespace agentdb9::base {

class Pipe final : public ByteSink, public ByteSource {
  public:
    explicit Pipe(asio::any_io_executor executor, std::size_t capacity = std::size_t{1} << 20);
    ~Pipe() override;

    // For a coroutine on the executor, which may be cancelled. Both throw what fail() was given.
    Task<> write(std::span<const char> bytes) override;
    Task<std::size_t> read(std::span<char> room) override;

    // The same for a thread; never on the executor's.
    void write_blocking(std::span<const char> bytes);
    std::size_t read_blocking(std::span<char> room);

    // Any thread. After the last write: the reader gets what is left, then 0.
    void finish();
    // Any thread. Both ends throw `reason` from now on; what is in the pipe is lost. The first reason counts.
    void fail(std::exception_ptr reason);

  private:
    // What the executor runs when it hears of a change may come after the pipe's end.
    struct Bell;

    // With the mutex held. How much was moved; nothing means: wait.
    std::size_t put(std::span<const char> bytes);
    std::size_t take(std::span<char> room);
    // Without it. `awaited`: a coroutine waits.
    // `wake`: a thread that waits has what it waits for.
    void changed(bool awaited, bool wake = true);

    asio::any_io_executor executor_;
    std::shared_ptr<Bell> bell_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<char> ring_;
    std::size_t first_ = 0;  // of the bytes in the ring
    std::size_t size_ = 0;
    // What a thread that waits would like to have at once; woken for every few bytes it would do little else.
    std::size_t wanted_ = 0;
    bool finished_ = false;
    bool awaited_ = false;
    std::exception_ptr failure_;
};

}  // namespace agentdb9::base
