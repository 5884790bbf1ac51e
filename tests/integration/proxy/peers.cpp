#include "peers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 15s;

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool ready(int fd, short events, std::chrono::milliseconds wait) {
    pollfd polled{fd, events, 0};
    return ::poll(&polled, 1, static_cast<int>(wait.count())) > 0;
}

}  // namespace

void Gate::open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
}

bool Gate::wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return open_; });
}

bool Gate::is_open() {
    std::lock_guard lock(mutex_);
    return open_;
}

bool eventually(const std::function<bool()>& predicate) {
    auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!predicate()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

Connection::Connection(int fd) : fd_(fd) {}
Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
Connection& Connection::operator=(Connection&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    buffer_ = std::move(other.buffer_);
    return *this;
}
Connection::~Connection() {
    close();
}

void Connection::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Connection::reset() {
    linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
}

Connection Connection::to(std::uint16_t port, const std::string& from) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    if (!from.empty() && (::inet_pton(AF_INET, from.c_str(), &source.sin_addr) != 1 ||
                          ::bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0)) {
        ::close(fd);
        throw std::runtime_error("bind: " + std::string(std::strerror(errno)));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        throw std::runtime_error("connect: " + std::string(std::strerror(errno)));
    }
    return Connection(fd);
}

Connection Connection::to_unix(const std::string& path) {
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd);
        throw std::runtime_error("connect: " + std::string(std::strerror(errno)));
    }
    return Connection(fd);
}

bool Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        if (!ready(fd_, POLLOUT, kPatience)) return false;
        auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool Connection::fill() {
    if (!ready(fd_, POLLIN, kPatience)) return false;
    static thread_local std::array<char, 256UL * 1024> block;
    auto got = ::recv(fd_, block.data(), block.size(), 0);
    if (got <= 0) return false;
    buffer_.append(block.data(), static_cast<std::size_t>(got));
    return true;
}

std::string Connection::read_until(std::string_view end) {
    while (true) {
        auto at = buffer_.find(end);
        if (at != std::string::npos) {
            auto result = buffer_.substr(0, at + end.size());
            buffer_.erase(0, at + end.size());
            return result;
        }
        if (!fill()) return std::exchange(buffer_, {});
    }
}

std::string Connection::read_exactly(std::size_t size) {
    while (buffer_.size() < size)
        if (!fill()) return std::exchange(buffer_, {});
    auto result = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return result;
}

std::string Connection::read_to_end() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
}

std::string Connection::read_some() {
    if (buffer_.empty()) fill();
    return std::exchange(buffer_, {});
}

bool Connection::is_silent_for(std::chrono::milliseconds wait) {
    return buffer_.empty() && !ready(fd_, POLLIN | POLLRDHUP, wait);
}

bool Connection::closes() {
    auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::array<char, 4096> block{};
    while (std::chrono::steady_clock::now() < deadline) {
        if (!ready(fd_, POLLIN, kPatience)) return false;
        if (::recv(fd_, block.data(), block.size(), 0) <= 0) return true;
    }
    return false;
}

void Connection::shutdown_send() {
    ::shutdown(fd_, SHUT_WR);
}

void Connection::set_receive_buffer(int bytes) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int Message::status() const {
    return head.size() > 12 && head.starts_with("HTTP/") ? std::stoi(head.substr(9, 3)) : 0;
}

std::string Message::field(std::string_view name) const {
    auto at = lower(head).find("\r\n" + lower(name) + ":");
    if (at == std::string::npos) return "(none)";
    auto begin = head.find_first_not_of(' ', at + 3 + name.size());
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::size_t Message::count(std::string_view name) const {
    auto text = lower(head);
    auto wanted = "\r\n" + lower(name) + ":";
    std::size_t found = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1))
        ++found;
    return found;
}

Message read_message(Connection& from, bool head_only, bool request) {
    Message message;
    message.head = from.read_until("\r\n\r\n");
    if (head_only || !message.head.ends_with("\r\n\r\n")) return message;
    auto status = message.status();
    if (status == 204 || status == 304 || (status >= 100 && status < 200)) return message;
    if (auto length = message.field("Content-Length"); length != "(none)") {
        message.body = from.read_exactly(std::stoul(length));
    } else if (message.field("Transfer-Encoding") == "chunked") {
        // Without trailers, as the tests send them; those with trailers read by hand.
        message.body = from.read_until("0\r\n\r\n");
    } else if (!request) {
        message.body = from.read_to_end();
    }
    return message;
}

Upstream::Upstream(Serve serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("listen: " + std::string(std::strerror(errno)));
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_loop(); });
}

Upstream::Served Upstream::serve(Serve serve) {
    std::lock_guard lock(mutex_);
    serve_ = std::move(serve);
    return Served(*this);
}

void Upstream::cut() {
    std::list<std::thread> threads;
    {
        std::lock_guard lock(mutex_);
        serve_ = [](Connection&) {};
        for (int fd : fds_)
            ::shutdown(fd, SHUT_RDWR);
        threads.swap(threads_);
    }
    for (auto& thread : threads)
        thread.join();
}

Upstream::~Upstream() {
    close_listener();
    cut();
}

void Upstream::close_listener() {
    if (stopping_.exchange(true)) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
}

void Upstream::accept_loop() {
    while (true) {
        int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0 && stopping_) return;
        if (fd < 0) {
            // A test may have taken the descriptors away for a while.
            std::this_thread::sleep_for(5ms);
            continue;
        }
        std::lock_guard lock(mutex_);
        ++accepted_;
        ++open_;
        fds_.push_back(fd);
        threads_.emplace_back([this, fd, serve = serve_] {
            Connection connection(fd);
            serve(connection);
            {
                std::lock_guard forget(mutex_);
                std::erase(fds_, fd);
            }
            connection.close();
            --open_;
        });
    }
}

Upstream::Serve answering(std::function<std::string(const Message&)> answer) {
    return [answer = std::move(answer)](Connection& connection) {
        while (true) {
            auto request = read_message(connection, false, true);
            if (!request.head.ends_with("\r\n\r\n")) return;
            if (!connection.send(answer(request))) return;
        }
    };
}

std::string ok(std::string_view body, std::string_view fields) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace agentdb9::test
