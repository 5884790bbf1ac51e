// What the streams of one thread share: coarse time, the tick that enforces their deadlines, and blocks of
// memory for those that have bytes in hand. One a worker; every call on its thread. It and Stream are all
// that would change if an epoll loop of our own took Asio's place on the data plane.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/async.hpp"
#include "base/time.hpp"

namespace agentdb9::http {

enum class IoError {
    kEnd,        // the other side closed its half
    kReset,      // the connection broke, or the other side refused it
    kTimeout,    // a deadline passed
    kCancelled,  // a wait was interrupted; the stream itself is still good
    kClosed,     // closed by ourselves
};

inline constexpr base::SteadyTime kNever = base::SteadyTime::max();
// Bytes; more than the largest head.
inline constexpr std::size_t kBlockSize = 64UL * 1024;
inline constexpr std::chrono::milliseconds kTick{100};

class Stream;

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

    // Starts the tick, which calls `on_tick` as well.
    void start(std::function<void()> on_tick);
    void stop();
    // Every open stream's pending and later calls end with kClosed.
    void close_all();

    std::unique_ptr<char[]> take_block();
    void give_block(std::unique_ptr<char[]> block);
    // Blocks taken and not given back.
    std::size_t blocks_in_use() const { return blocks_in_use_; }
    std::size_t open_streams() const;

  private:
    friend class Stream;
    using Hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
    struct Member : Hook {};
    using Members = boost::intrusive::list<Member, boost::intrusive::constant_time_size<false>>;

    void schedule();
    void tick();

    asio::io_context& io_;
    asio::steady_timer timer_;
    base::SteadyTime now_;
    std::function<void()> on_tick_;
    bool running_ = false;
    Members members_;
    std::vector<std::unique_ptr<char[]>> free_blocks_;
    std::size_t blocks_in_use_ = 0;
};

}  // namespace agentdb9::http
