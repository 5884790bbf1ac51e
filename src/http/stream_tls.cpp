// The part of a Stream that speaks TLS.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "http/stream.hpp"
#include "http/tls_session.hpp"

namespace agentdb9::http {

using Outcome = TlsSession::Outcome;

IoResult<std::optional<unsigned char>> Stream::try_peek() {
    if (error_) return std::unexpected(*error_);
    while (readable_) {
        unsigned char first = 0;
        const auto count = ::recv(descriptor_.get(), &first, 1, MSG_DONTWAIT | MSG_PEEK);
        if (count > 0) return first;
        if (count == 0) return std::unexpected(IoError::kEnd);
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return std::unexpected(IoError::kReset);
        readable_ = false;
    }
    return std::nullopt;
}

Task<IoResult<>> Stream::start_tls(std::shared_ptr<const TlsContext> context, base::SteadyTime deadline) {
    if (error_) co_return std::unexpected(*error_);
    tls_ = std::make_unique<TlsSession>(*context, descriptor_.get());
    if (hung_up_) tls_->on_events(false, false, true);
    while (true) {
        if (error_) co_return std::unexpected(*error_);
        const auto outcome = tls_->handshake();
        if (outcome == Outcome::kDone) {
            readable_ = writable_ = true;
            co_return IoResult<>();
        }
        if (outcome != Outcome::kWaits) co_return std::unexpected(IoError::kReset);
        // tell_tls() makes it readable by whichever event is the one.
        readable_ = false;
        if (auto ready = co_await wait_readable(deadline); !ready) co_return ready;
    }
}

IoResult<std::size_t> Stream::recv_secure(std::span<char> into) {
    std::size_t count = 0;
    const auto outcome = tls_->recv(into, count);
    received_ += count;
    if (outcome == Outcome::kWaits) readable_ = false;
    // An end is told when it comes first.
    if (count > 0 || outcome == Outcome::kWaits || outcome == Outcome::kDone) return count;
    return std::unexpected(outcome == Outcome::kEnd ? IoError::kEnd : IoError::kReset);
}

IoResult<> Stream::send_secure(std::span<std::string_view> parts) {
    if (!writable_) return {};
    std::size_t count = 0;
    const auto outcome = tls_->send(parts, count);
    sent_ += count;
    if (outcome == Outcome::kWaits) writable_ = false;
    if (outcome == Outcome::kBroken) return std::unexpected(IoError::kReset);
    return {};
}

void Stream::tell_tls(std::uint32_t events) {
    const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    const auto allows = tls_->on_events(broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0,
                                        broken || (events & EPOLLOUT) != 0, hung_up_);
    readable_ = readable_ || allows.receiving;
    writable_ = writable_ || allows.sending;
    if (tls_->goodbye_waits()) shutdown_send();
}

Task<IoResult<>> Stream::finish() {
    while (tls_) {
        if (error_) co_return std::unexpected(*error_);
        if (tls_->say_goodbye() != Outcome::kWaits) break;
        writable_ = false;
        if (auto ready = co_await wait_writable(); !ready) co_return ready;
    }
    co_return IoResult<>();
}

}  // namespace agentdb9::http
