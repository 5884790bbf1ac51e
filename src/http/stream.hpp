// A connected socket (TCP or unix) with waits that have deadlines and errors that are values. One thread: its
// Loop's.
//
// At most one coroutine receives and one sends at a time. A stream outlives the calls made on it: whoever
// closes it leaves its destruction to the coroutine that reads it.
#pragma once

#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/loop.hpp"

namespace agentdb9::http {

class TlsContext;
class TlsSession;

template <class T = void>
using IoResult = std::expected<T, IoError>;

class Stream final : private Loop::Member {
  public:
    // `descriptor`: connected, or about to be, and non-blocking.
    Stream(Loop& loop, base::Descriptor descriptor);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // Connects to a numeric address. kReset when refused or unreachable, kTimeout at `deadline`, kExhausted
    // where that is not the other side's fault.
    static Task<IoResult<std::unique_ptr<Stream>>> connect(Loop& loop,
                                                           asio::generic::stream_protocol::endpoint to,
                                                           base::SteadyTime deadline);

    // The byte that try_recv() would bring first, left where it is; absent when there is none yet. Not with
    // TLS.
    IoResult<std::optional<unsigned char>> try_peek();
    // Speaks TLS from here on, as a server; before anything else was received or sent. kReset when the other
    // side does not, or accepts nothing of what we do; kTimeout at `deadline`. It is to be closed then.
    Task<IoResult<>> start_tls(std::shared_ptr<const TlsContext> context, base::SteadyTime deadline);
    bool is_secure() const { return tls_ != nullptr; }

    // Bytes that are there now, without waiting: at least one; 0 when there are none yet; kEnd after the
    // last.
    IoResult<std::size_t> try_recv(std::span<char> into);
    // Returns when try_recv() may have something to tell; kTimeout at `deadline`, and the stream is still
    // good.
    Task<IoResult<>> wait_readable(base::SteadyTime deadline);
    // Sends as much of `parts`, at most 16, in order, as the system takes now, and takes it off them. What is
    // left is send()'s: nearly always nothing.
    IoResult<> try_send(std::span<std::string_view> parts);
    // Sends all of `parts`, at most 16, in order. When the other side takes nothing for the stall limit the
    // stream is closed: kTimeout.
    Task<IoResult<>> send(std::span<const std::string_view> parts);
    Task<IoResult<>> send(std::string_view bytes);
    // Returns when more may be sent; closes the stream as send() does.
    Task<IoResult<>> wait_writable();
    // Bytes between this and an empty pipe, or a pipe that is to be emptied, without passing through the
    // process (splice(2)): at least one, at most `most`; 0 when it has to be waited for. `more` follow. Not
    // with TLS.
    IoResult<std::size_t> try_recv_into(const Pipe& pipe, std::size_t most);
    IoResult<std::size_t> try_send_from(const Pipe& pipe, std::size_t most, bool more);
    void set_stall_limit(std::chrono::milliseconds limit) { stall_limit_ = limit; }

    // Sends FIN, with TLS after its close_notify as soon as the system takes that; receiving goes on.
    void shutdown_send();
    // With TLS, before close(): what was sent was all, and the other side is to know. Without, FIN says it.
    Task<IoResult<>> finish();
    // Ends what waits with kClosed (or `why`), and every later call. The descriptor is closed at once.
    void close(IoError why = IoError::kClosed);
    bool is_open() const { return !error_; }
    // close(), whoever calls it, sends a reset instead of FIN, and TLS no close_notify: the other side
    // notices that something is missing.
    void reset_at_close(bool resets = true);
    // A pending wait_readable() ends with kCancelled; so does the next one when none is pending.
    void interrupt();
    // Takes an interrupt back that nothing has waited for.
    void forget_interrupt() { interrupted_ = false; }
    // For an idle connection: nothing came, and the other side has not closed. As of the last look at the
    // events or, with `now`, as of this moment, which costs a system call.
    bool is_quiet(bool now) const;

    // While set: when the other side closes, even its sending half, and nobody may be reading to notice, this
    // stream is closed (kReset) within a tick and `gone` called. An empty function ends it.
    void watch_peer(std::function<void()> gone) {
        peer_gone_ = std::move(gone);
        only_lost_ = false;
    }
    // The same where something is still to be read: only of a connection that is lost as a whole.
    void watch_loss(std::function<void()> gone) {
        peer_gone_ = std::move(gone);
        only_lost_ = true;
    }

    // Instead of coroutines: called after events, when receiving or sending may go on. It may destroy the
    // stream. Such a stream has no deadlines; nobody is told of its close().
    class Watcher {
      public:
        virtual void on_ready() = 0;

      protected:
        ~Watcher() = default;
    };
    void set_watcher(Watcher& watcher) { watcher_ = &watcher; }

    // "192.0.2.1", "2001:db8::1", or empty for a unix socket.
    std::string peer_address() const;
    std::uint64_t bytes_received() const { return received_; }
    std::uint64_t bytes_sent() const { return sent_; }
    Loop& loop() { return loop_; }

  private:
    friend class Loop;
    using Waiter = asio::async_result<asio::use_awaitable_t<>, void(IoResult<>)>::handler_type;

    IoResult<std::size_t> recv_secure(std::span<char> into);
    IoResult<> send_secure(std::span<std::string_view> parts);
    void tell_tls(std::uint32_t events);
    void on_events(std::uint32_t events);
    void on_tick(base::SteadyTime now);
    Task<IoResult<>> suspend(std::optional<Waiter>& place, base::SteadyTime& limit,
                             base::SteadyTime deadline);
    void resume(std::optional<Waiter>& place, base::SteadyTime& limit, IoResult<> result);
    // The same at the loop's next turn: for those who are in the middle of something else.
    void resume_later(std::optional<Waiter>& place, base::SteadyTime& limit, IoResult<> result);

    Loop& loop_;
    base::Descriptor descriptor_;
    std::optional<IoError> error_;
    // As far as is known; a call that finds out otherwise says so here.
    bool readable_ = true;
    bool writable_ = true;
    bool hung_up_ = false;    // the other side has closed its sending half, or all
    bool lost_ = false;       // it has reset the connection, or there is none any more
    bool only_lost_ = false;  // what peer_gone_ is for
    bool interrupted_ = false;
    std::unique_ptr<TlsSession> tls_;  // null: none
    Watcher* watcher_ = nullptr;
    std::optional<Waiter> receiver_;
    std::optional<Waiter> sender_;
    base::SteadyTime recv_deadline_ = kNever;
    base::SteadyTime send_deadline_ = kNever;
    std::chrono::milliseconds stall_limit_{120'000};
    std::function<void()> peer_gone_;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
};

// Nothing is left of them.
inline bool is_sent(std::span<const std::string_view> parts) {
    return std::ranges::all_of(parts, &std::string_view::empty);
}

// Bytes received and not yet used. Holds a block only while there are any: an idle connection owns none.
class Reader {
  public:
    explicit Reader(Stream& stream) : stream_(stream) {}
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    std::string_view data() const { return {block_.get() + begin_, end_ - begin_}; }
    // No room for more without consuming.
    bool full() const { return end_ - begin_ == kBlockSize; }
    void consume(std::size_t count);
    // Adds at least one byte behind data(), which moves. Not when full().
    Task<IoResult<>> fill(base::SteadyTime deadline);
    // The same without waiting: false when nothing is there yet.
    IoResult<bool> try_fill();
    Stream& stream() { return stream_; }

  private:
    Stream& stream_;
    std::unique_ptr<char[]> block_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace agentdb9::http
