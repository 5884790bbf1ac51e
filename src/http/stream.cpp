#include "http/stream.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "http/tls_session.hpp"

namespace agentdb9::http {
namespace {

constexpr std::size_t kMaxParts = 16;
// Parts of few bytes are put together: the system takes one text in less time than a list.
constexpr std::size_t kPutTogether = 4UL * 1024;

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

void set_option(int descriptor, int level, int option, int value) {
    ::setsockopt(descriptor, level, option, &value, sizeof value);
}

constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

ssize_t send_list(int descriptor, std::span<iovec> parts) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return ::sendmsg(descriptor, &message, kSendFlags);
}

// Not more than kPutTogether bytes.
ssize_t send_together(int descriptor, std::span<const iovec> parts) {
    if (parts.size() == 1) return ::send(descriptor, parts[0].iov_base, parts[0].iov_len, kSendFlags);
    std::array<char, kPutTogether> bytes;  // NOLINT: written before it is read
    std::size_t size = 0;
    for (const auto& part : parts) {
        std::memcpy(bytes.data() + size, part.iov_base, part.iov_len);
        size += part.iov_len;
    }
    return ::send(descriptor, bytes.data(), size, kSendFlags);
}

IoError connect_error(int error, int family) {
    // For want of a port to connect from; with IPv6 also where there is no address of our own.
    if (error == EADDRNOTAVAIL && family == AF_INET) return IoError::kExhausted;
    const bool exhausted = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    return exhausted ? IoError::kExhausted : IoError::kReset;
}

}  // namespace

Stream::Stream(Loop& loop, base::Descriptor descriptor) : loop_(loop), descriptor_(std::move(descriptor)) {
    const int fd = descriptor_.get();
    // The TCP ones fail on a unix socket, which needs none of them.
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // A peer that vanished without a word is noticed in about two minutes, also on a connection without a
    // deadline.
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
    if (!loop_.add(*this, fd)) error_ = IoError::kReset;
}

Stream::~Stream() {
    loop_.remove(*this);
}

Task<IoResult<std::unique_ptr<Stream>>> Stream::connect(Loop& loop,
                                                        asio::generic::stream_protocol::endpoint to,
                                                        base::SteadyTime deadline) {
    const int family = to.protocol().family();
    base::Descriptor descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!descriptor) co_return std::unexpected(connect_error(errno, family));
    const int fd = descriptor.get();
    const bool connected = ::connect(fd, to.data(), static_cast<socklen_t>(to.size())) == 0;
    if (!connected && errno != EINPROGRESS) co_return std::unexpected(connect_error(errno, family));
    auto stream = std::make_unique<Stream>(loop, std::move(descriptor));
    stream->readable_ = false;
    if (connected) co_return stream;
    stream->writable_ = false;
    if (auto ready = co_await stream->suspend(stream->sender_, stream->send_deadline_, deadline); !ready)
        co_return std::unexpected(ready.error());
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        co_return std::unexpected(IoError::kReset);
    co_return stream;
}

IoResult<std::size_t> Stream::try_recv(std::span<char> into) {
    if (error_) return std::unexpected(*error_);
    if (!readable_) return 0;
    if (tls_) [[unlikely]]
        return recv_secure(into);
    while (true) {
        const auto count = ::recv(descriptor_.get(), into.data(), into.size(), MSG_DONTWAIT);
        if (count > 0) {
            received_ += static_cast<std::uint64_t>(count);
            // Less than there was room for: that was all, and whatever comes now is a new event. Not so where
            // the end has come already.
            if (static_cast<std::size_t>(count) < into.size() && !hung_up_) readable_ = false;
            return static_cast<std::size_t>(count);
        }
        if (count == 0) return std::unexpected(IoError::kEnd);
        if (would_block(errno)) {
            readable_ = false;
            return 0;
        }
        if (errno != EINTR) return std::unexpected(IoError::kReset);
    }
}

Task<IoResult<>> Stream::suspend(std::optional<Waiter>& place, base::SteadyTime& limit,
                                 base::SteadyTime deadline) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(IoResult<>)>(
        [this, &place, &limit, deadline](auto handler) {
            place.emplace(std::move(handler));
            limit = deadline;
            loop_.wait_begins();
            // What needs no waiting: it is the caller's to look before, where that is common.
            const bool receives = &place == &receiver_;
            if (error_) return resume_later(place, limit, std::unexpected(*error_));
            if (receives && std::exchange(interrupted_, false))
                return resume_later(place, limit, std::unexpected(IoError::kCancelled));
            if (receives ? readable_ : writable_) resume_later(place, limit, {});
        },
        asio::use_awaitable);
}

void Stream::resume(std::optional<Waiter>& place, base::SteadyTime& limit, IoResult<> result) {
    auto waiter = std::move(*place);
    place.reset();
    limit = kNever;
    loop_.wait_ends();
    // It may destroy this stream.
    std::move(waiter)(std::move(result));
}

void Stream::resume_later(std::optional<Waiter>& place, base::SteadyTime& limit, IoResult<> result) {
    if (!place) return;
    asio::post(loop_.io(), [waiter = std::move(*place), result = std::move(result)]() mutable {
        std::move(waiter)(std::move(result));
    });
    place.reset();
    limit = kNever;
    loop_.wait_ends();
}

void Stream::on_events(std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) lost_ = true;
    if (tls_) [[unlikely]]
        tell_tls(events);
    if (watcher_ != nullptr) return watcher_->on_ready();
    const bool receives = receiver_ && readable_;
    const bool sends = sender_ && writable_;
    if (receives && sends) resume_later(sender_, send_deadline_, {});
    if (receives) return resume(receiver_, recv_deadline_, {});
    if (sends) resume(sender_, send_deadline_, {});
}

Task<IoResult<>> Stream::wait_readable(base::SteadyTime deadline) {
    return suspend(receiver_, recv_deadline_, deadline);
}

Task<IoResult<>> Stream::wait_writable() {
    return suspend(sender_, send_deadline_, loop_.after(stall_limit_));
}

IoResult<> Stream::try_send(std::span<std::string_view> parts) {
    if (error_) return std::unexpected(*error_);
    if (tls_) [[unlikely]]
        return send_secure(parts);
    std::array<iovec, kMaxParts> vectors;
    while (true) {
        std::size_t count = 0;
        std::size_t size = 0;
        for (auto part : parts) {
            if (part.empty()) continue;
            if (count == kMaxParts) return std::unexpected(IoError::kClosed);
            // sendmsg() does not write through it.
            vectors[count++] = {const_cast<char*>(part.data()), part.size()};  // NOLINT
            size += part.size();
        }
        if (count == 0 || !writable_) return {};
        const std::span given(vectors.data(), count);
        const auto sent = size <= kPutTogether ? send_together(descriptor_.get(), given)
                                               : send_list(descriptor_.get(), given);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (!would_block(errno)) return std::unexpected(IoError::kReset);
            writable_ = false;
            return {};
        }
        auto left = static_cast<std::size_t>(sent);
        sent_ += left;
        for (auto& part : parts) {
            const auto used = std::min(left, part.size());
            part.remove_prefix(used);
            left -= used;
        }
        if (static_cast<std::size_t>(sent) == size) return {};
    }
}

Task<IoResult<>> Stream::send(std::span<const std::string_view> parts) {
    std::array<std::string_view, kMaxParts> left;
    if (parts.size() > left.size()) co_return std::unexpected(IoError::kClosed);
    std::ranges::copy(parts, left.begin());
    const std::span all(left.data(), parts.size());
    while (true) {
        if (auto sent = try_send(all); !sent) co_return sent;
        if (is_sent(all)) co_return IoResult<>();
        if (auto ready = co_await wait_writable(); !ready) co_return ready;
    }
}

Task<IoResult<>> Stream::send(std::string_view bytes) {
    std::array<std::string_view, 1> parts{bytes};
    co_return co_await send(parts);
}

IoResult<std::size_t> Stream::try_recv_into(const Pipe& pipe, std::size_t most) {
    if (error_ || tls_) return std::unexpected(error_.value_or(IoError::kClosed));
    if (!readable_) return 0;
    while (true) {
        const auto count = ::splice(descriptor_.get(), nullptr, pipe.in.get(), nullptr, most,
                                    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (count > 0) {
            received_ += static_cast<std::uint64_t>(count);
            return static_cast<std::size_t>(count);
        }
        if (count == 0) return std::unexpected(IoError::kEnd);
        if (would_block(errno)) {
            readable_ = false;
            return 0;
        }
        if (errno != EINTR) return std::unexpected(IoError::kReset);
    }
}

IoResult<std::size_t> Stream::try_send_from(const Pipe& pipe, std::size_t most, bool more) {
    if (error_ || tls_) return std::unexpected(error_.value_or(IoError::kClosed));
    if (!writable_) return 0;
    const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0U);
    while (true) {
        const auto count = ::splice(pipe.out.get(), nullptr, descriptor_.get(), nullptr, most, flags);
        if (count > 0) {
            sent_ += static_cast<std::uint64_t>(count);
            return static_cast<std::size_t>(count);
        }
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && !would_block(errno)) return std::unexpected(IoError::kReset);
        writable_ = false;
        return 0;
    }
}

void Stream::shutdown_send() {
    if (error_) return;
    // on_events() goes on.
    if (tls_ && tls_->say_goodbye() == TlsSession::Outcome::kWaits) return;
    ::shutdown(descriptor_.get(), SHUT_WR);
}

void Stream::close(IoError why) {
    if (error_) return;
    error_ = why;
    loop_.remove(*this);
    descriptor_ = base::Descriptor();
    resume_later(receiver_, recv_deadline_, std::unexpected(why));
    resume_later(sender_, send_deadline_, std::unexpected(why));
}

void Stream::reset_at_close(bool resets) {
    const linger at_once{.l_onoff = resets ? 1 : 0, .l_linger = 0};
    if (!error_) ::setsockopt(descriptor_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (tls_) tls_->say_goodbye_at_end(!resets);
}

void Stream::interrupt() {
    if (error_) return;
    if (!receiver_) {
        interrupted_ = true;
        return;
    }
    resume_later(receiver_, recv_deadline_, std::unexpected(IoError::kCancelled));
}

bool Stream::is_quiet(bool now) const {
    if (error_ || hung_up_) return false;
    if (!now && !readable_) return true;
    if (tls_ && tls_->holds_bytes()) return false;
    pollfd polled{descriptor_.get(), POLLIN | POLLRDHUP, 0};
    return ::poll(&polled, 1, 0) == 0;
}

std::string Stream::peer_address() const {
    asio::ip::tcp::endpoint tcp;
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (error_ || ::getpeername(descriptor_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return {};
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return {};
    tcp.resize(size);
    std::memcpy(tcp.data(), &address, size);
    auto ip = tcp.address();
    if (ip.is_v6() && ip.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6()).to_string();
    return ip.to_string();
}

void Stream::on_tick(base::SteadyTime now) {
    if (error_) return;
    if (send_deadline_ <= now) return close(IoError::kTimeout);
    if (peer_gone_ && (only_lost_ ? lost_ : hung_up_)) {
        close(IoError::kReset);
        return std::exchange(peer_gone_, nullptr)();
    }
    if (recv_deadline_ <= now) resume_later(receiver_, recv_deadline_, std::unexpected(IoError::kTimeout));
}

Reader::~Reader() {
    if (block_) stream_.loop().give_block(std::move(block_));
}

void Reader::consume(std::size_t count) {
    begin_ += count;
    if (begin_ != end_) return;
    begin_ = end_ = 0;
    if (block_) stream_.loop().give_block(std::move(block_));
}

IoResult<bool> Reader::try_fill() {
    if (!block_) block_ = stream_.loop().take_block();
    if (begin_ > 0 && (end_ == kBlockSize || begin_ == end_)) {
        std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    const auto got = stream_.try_recv({block_.get() + end_, kBlockSize - end_});
    if (got && *got > 0) {
        end_ += *got;
        return true;
    }
    if (begin_ == end_) consume(0);
    if (!got) return std::unexpected(got.error());
    return false;
}

Task<IoResult<>> Reader::fill(base::SteadyTime deadline) {
    while (true) {
        const auto filled = try_fill();
        if (!filled) co_return std::unexpected(filled.error());
        if (*filled) co_return IoResult<>();
        if (auto ready = co_await stream_.wait_readable(deadline); !ready) co_return ready;
    }
}

}  // namespace agentdb9::http
