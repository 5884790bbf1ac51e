#include "http/stream.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>

namespace agentdb9::http {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxParts = 16;

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

void set_option(Stream::Socket& socket, int level, int option, int value) {
    ::setsockopt(socket.native_handle(), level, option, &value, sizeof value);
}

}  // namespace

Stream::Stream(Loop& loop, Socket socket) : loop_(loop), socket_(std::move(socket)) {
    loop_.members_.push_back(*this);
    // The TCP ones fail on a unix socket, which needs none of them.
    set_option(socket_, IPPROTO_TCP, TCP_NODELAY, 1);
    // A peer that vanished without a word is noticed in about two minutes, also on a connection without a
    // deadline.
    set_option(socket_, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket_, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(socket_, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(socket_, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

Stream::~Stream() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

Task<IoResult<std::unique_ptr<Stream>>> Stream::connect(Loop& loop,
                                                        asio::generic::stream_protocol::endpoint to,
                                                        base::SteadyTime deadline) {
    Socket socket(loop.io());
    boost::system::error_code failed;
    socket.open(to.protocol(), failed);
    if (failed) co_return std::unexpected(IoError::kReset);
    auto stream = std::make_unique<Stream>(loop, std::move(socket));
    stream->send_deadline_ = deadline;
    auto [ec] = co_await stream->socket_.async_connect(to, kAsTuple);
    stream->send_deadline_ = kNever;
    if (stream->error_) co_return std::unexpected(*stream->error_);
    if (ec) co_return std::unexpected(IoError::kReset);
    co_return stream;
}

IoResult<std::size_t> Stream::try_recv(std::span<char> into) {
    if (error_) return std::unexpected(*error_);
    while (true) {
        auto count = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
        if (count > 0) {
            received_ += static_cast<std::uint64_t>(count);
            return static_cast<std::size_t>(count);
        }
        if (count == 0) return std::unexpected(IoError::kEnd);
        if (would_block(errno)) return 0;
        if (errno != EINTR) return std::unexpected(IoError::kReset);
    }
}

Task<IoResult<>> Stream::wait_readable(base::SteadyTime deadline) {
    while (true) {
        if (error_) co_return std::unexpected(*error_);
        if (std::exchange(interrupted_, false)) co_return std::unexpected(IoError::kCancelled);
        timed_out_ = false;
        recv_deadline_ = deadline;
        auto [ec] = co_await socket_.async_wait(Socket::wait_read, kAsTuple);
        recv_deadline_ = kNever;
        if (!ec) co_return error_ ? IoResult<>(std::unexpected(*error_)) : IoResult<>();
        if (ec != asio::error::operation_aborted) co_return std::unexpected(error_.value_or(IoError::kReset));
        if (!error_ && timed_out_) co_return std::unexpected(IoError::kTimeout);
    }
}

Task<IoResult<>> Stream::wait_writable() {
    while (true) {
        send_deadline_ = loop_.after(stall_limit_);
        auto [ec] = co_await socket_.async_wait(Socket::wait_write, kAsTuple);
        send_deadline_ = kNever;
        if (error_) co_return std::unexpected(*error_);
        if (!ec) co_return IoResult<>();
        // An interrupt wakes the sender as well; it goes on.
        if (ec != asio::error::operation_aborted) co_return std::unexpected(IoError::kReset);
    }
}

Task<IoResult<>> Stream::send(std::span<const std::string_view> parts) {
    std::array<iovec, kMaxParts> vectors{};
    std::size_t count = 0;
    for (auto part : parts) {
        if (part.empty()) continue;
        if (count == kMaxParts) co_return std::unexpected(IoError::kClosed);
        // sendmsg() does not write through it.
        vectors[count++] = {const_cast<char*>(part.data()), part.size()};  // NOLINT
    }
    std::size_t first = 0;
    while (first < count) {
        if (error_) co_return std::unexpected(*error_);
        msghdr message{};
        message.msg_iov = &vectors[first];
        message.msg_iovlen = count - first;
        auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (!would_block(errno)) co_return std::unexpected(IoError::kReset);
            if (auto ready = co_await wait_writable(); !ready) co_return ready;
            continue;
        }
        auto left = static_cast<std::size_t>(sent);
        sent_ += left;
        while (first < count && left >= vectors[first].iov_len)
            left -= vectors[first++].iov_len;
        if (first < count && left > 0) {
            vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + left;
            vectors[first].iov_len -= left;
        }
    }
    co_return IoResult<>();
}

Task<IoResult<>> Stream::send(std::string_view bytes) {
    std::array<std::string_view, 1> parts{bytes};
    co_return co_await send(parts);
}

void Stream::shutdown_send() {
    boost::system::error_code ignored;
    if (!error_) socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close(IoError why) {
    if (error_) return;
    error_ = why;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Stream::reset_at_close() {
    boost::system::error_code ignored;
    if (!error_) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
}

void Stream::interrupt() {
    if (error_) return;
    interrupted_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

bool Stream::is_quiet() const {
    if (error_) return false;
    pollfd polled{const_cast<Stream*>(this)->socket_.native_handle(), POLLIN | POLLRDHUP, 0};  // NOLINT
    return ::poll(&polled, 1, 0) == 0;
}

std::string Stream::peer_address() const {
    boost::system::error_code ec;
    auto endpoint = socket_.remote_endpoint(ec);
    if (ec) return {};
    auto family = endpoint.protocol().family();
    if (family != AF_INET && family != AF_INET6) return {};
    asio::ip::tcp::endpoint tcp;
    tcp.resize(endpoint.size());
    std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
    auto address = tcp.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    return address.to_string();
}

void Stream::check_deadlines(base::SteadyTime now) {
    if (send_deadline_ <= now) return close(IoError::kTimeout);
    if (recv_deadline_ > now) return;
    recv_deadline_ = kNever;
    timed_out_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
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

Task<IoResult<>> Reader::fill(base::SteadyTime deadline) {
    while (true) {
        if (!block_) block_ = stream_.loop().take_block();
        if (begin_ > 0 && (end_ == kBlockSize || begin_ == end_)) {
            std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        auto got = stream_.try_recv({block_.get() + end_, kBlockSize - end_});
        if (got && *got > 0) {
            end_ += *got;
            co_return IoResult<>();
        }
        if (begin_ == end_) consume(0);
        if (!got) co_return std::unexpected(got.error());
        if (auto ready = co_await stream_.wait_readable(deadline); !ready) co_return ready;
    }
}

}  // namespace agentdb9::http
