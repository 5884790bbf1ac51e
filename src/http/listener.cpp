#include "http/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/descriptor.hpp"

namespace agentdb9::http {

using base::Descriptor;

namespace {

constexpr int kBacklog = 1024;

std::string error_text() {
    return std::generic_category().message(errno);
}

bool enable(int fd, int option) {
    int on = 1;
    return ::setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0;
}

// True when somebody answers behind the socket file.
bool is_served(const sockaddr_un& address) {
    Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
           errno == EAGAIN;
}

}  // namespace

std::expected<std::unique_ptr<Listener>, std::string> Listener::tcp(asio::io_context& io,
                                                                    const std::string& address,
                                                                    std::uint16_t port, bool probe) {
    boost::system::error_code ec;
    auto ip = asio::ip::make_address(address, ec);
    if (ec) return std::unexpected("not a numeric address");
    asio::ip::tcp::endpoint endpoint(ip, port);
    auto family = ip.is_v6() ? AF_INET6 : AF_INET;
    auto size = static_cast<socklen_t>(endpoint.size());
    if (probe && port != 0) {
        // A socket without SO_REUSEPORT cannot be bound beside one that listens, whoever owns that one.
        Descriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (fd.get() < 0 || !enable(fd.get(), SO_REUSEADDR) || ::bind(fd.get(), endpoint.data(), size) != 0)
            return std::unexpected(error_text());
    }
    Descriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0 || !enable(fd.get(), SO_REUSEADDR) || !enable(fd.get(), SO_REUSEPORT) ||
        ::bind(fd.get(), endpoint.data(), size) != 0 || ::listen(fd.get(), kBacklog) != 0)
        return std::unexpected(error_text());
    std::unique_ptr<Listener> listener(new Listener(io));
    listener->descriptor_.assign(fd.release());
    return listener;
}

std::expected<std::unique_ptr<Listener>, std::string> Listener::unix_socket(asio::io_context& io,
                                                                            const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return std::unexpected("the path is too long for a socket");
    std::memcpy(address.sun_path, path.data(), path.size());
    if (is_served(address)) return std::unexpected("another server answers there");
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode))
            return std::unexpected("something that is not a socket is in its place");
        ::unlink(path.c_str());
    }
    Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Before bind(): the file gets its mode from the descriptor's, so that it is never open to others.
    if (fd.get() < 0 || ::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0 ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(fd.get(), kBacklog) != 0)
        return std::unexpected(error_text());
    std::unique_ptr<Listener> listener(new Listener(io));
    listener->path_ = path;
    listener->descriptor_.assign(fd.release());
    return listener;
}

Listener::~Listener() {
    close();
}

void Listener::close() {
    if (std::exchange(closed_, true)) return;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::uint16_t Listener::port() const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto& descriptor =
        const_cast<asio::posix::stream_descriptor&>(descriptor_);  // NOLINT: native_handle() is not const
    if (::getsockname(descriptor.native_handle(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return 0;
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    return 0;
}

Task<IoResult<std::unique_ptr<Stream>>> Listener::accept(Loop& loop) {
    while (!closed_) {
        int fd = ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) co_return std::make_unique<Stream>(loop, Descriptor(fd));
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) co_return std::unexpected(IoError::kReset);
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::as_tuple(asio::use_awaitable));
    }
    co_return std::unexpected(IoError::kCancelled);
}

}  // namespace agentdb9::http
