// What the streams of one thread share: an edge-triggered epoll of their sockets, coarse time, the tick that
// enforces their deadlines, and memory for those that have bytes in hand. One a worker; every call on its
// thread.
//
// The epoll is itself waited for by the thread's io_context, which keeps timers, posted work and listeners:
// for a batch of events that costs one more system call, and everything else of Asio works as before. What an
// event costs here is a flag and, where somebody waits, the coroutine's resumption: no queue, no lock, no
// operation object.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/async.hpp"
#include "base/descriptor.hpp"
#include "base/time.hpp"

struct epoll_event;

namespace agentdb9::http {

enum class IoError : std::uint8_t {
    kEnd,        // the other side closed its half
    kReset,      // the connection broke, or the other side refused it
    kTimeout,    // a deadline passed
    kCancelled,  // a wait was interrupted; the stream itself is still good
    kClosed,     // closed by ourselves
    kExhausted,  // nothing is left for it here: descriptors, memory, port numbers
};

inline constexpr base::SteadyTime kNever = base::SteadyTime::max();
// Bytes; more than the largest head.
inline constexpr std::size_t kBlockSize = 64UL * 1024;
inline constexpr std::chrono::milliseconds kTick{100};

class Stream;

struct Pipe {
    base::Descriptor out;  // its reading end
    base::Descriptor in;
    std::size_t capacity = 0;  // bytes
};

class Loop {
  public:
    explicit Loop(asio::io_context& io);
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop();

    asio::io_context& io() { return io_; }
    // Steady time, at most one tick old.
    base::SteadyTime now() const { return now_; }
    // `duration` from now; at least that long.
    base::SteadyTime after(std::chrono::milliseconds duration) const;

    // Lets everything else of this thread have its turn: for those who find bytes again and again without
    // having to wait for them.
    Task<> give_way();

    // Starts the tick, which calls `on_tick` as well.
    void start(std::function<void()> on_tick);
    void stop();
    // Every open stream's pending and later calls end with kClosed.
    void close_all();

    std::unique_ptr<char[]> take_block();
    void give_block(std::unique_ptr<char[]> block);
    // A pipe for bytes that go from one socket to another within the kernel; absent when the system has none.
    // Empty when it is given back; one that is not is closed with its owner. Some are kept, for as long as
    // any is taken every few seconds.
    std::optional<Pipe> take_pipe();
    void give_pipe(Pipe pipe);
    // Blocks taken and not given back.
    std::size_t blocks_in_use() const { return blocks_in_use_; }
    std::size_t open_streams() const;
    // For bytes that are passed on before anything else is read: it is anybody's at the next wait.
    std::span<char> scratch() { return {scratch_.get(), kScratchSize}; }

  private:
    friend class Stream;
    using Hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
    struct Member : Hook {};
    using Members = boost::intrusive::list<Member, boost::intrusive::constant_time_size<false>>;
    static constexpr std::size_t kScratchSize = std::size_t{256} << 10;

    // False where the system has no memory for it: nothing would ever be heard of it.
    bool add(Stream& stream, int descriptor);
    // Events of it that were fetched and not handled yet are forgotten.
    void remove(Stream& stream);
    // A coroutine waits for an event; without any, and before start(), nothing keeps the io_context running.
    void wait_begins();
    void wait_ends();
    void await_events();
    void handle_events();
    void schedule();
    void tick();

    asio::io_context& io_;
    base::Descriptor epoll_;
    asio::posix::stream_descriptor ready_;  // epoll_ again: the io_context's look at it
    asio::steady_timer timer_;
    base::SteadyTime now_;
    std::function<void()> on_tick_;
    bool running_ = false;
    bool armed_ = false;  // the io_context looks at epoll_
    std::size_t waiting_ = 0;
    Members members_;
    std::span<epoll_event> batch_;  // fetched and not handled yet
    std::vector<std::unique_ptr<char[]>> free_blocks_;
    std::vector<Pipe> free_pipes_;
    int ticks_without_pipe_ = 0;  // none was taken
    std::unique_ptr<char[]> scratch_;
    std::size_t blocks_in_use_ = 0;
};

}  // namespace agentdb9::http
