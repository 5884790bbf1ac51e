#include "recorder.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace agentdb9::test {
namespace {

constexpr int kPatienceMs = 15'000;
const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + std::string(kRecorded) + "\r\n";
const std::string kBroken = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::optional<std::string_view> receive(int fd) {
    static thread_local std::array<char, 256UL * 1024> block;
    const auto got = ::recv(fd, block.data(), block.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::string_view();
    if (got <= 0) return std::nullopt;
    return std::string_view(block.data(), static_cast<std::size_t>(got));
}

}  // namespace

Recorder::Recorder() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("listen: " + std::string(std::strerror(errno)));
    port_ = ntohs(address.sin_port);
}

Recorder::~Recorder() {
    reset();
    ::close(listener_);
}

void Recorder::reset() {
    for (auto& each : connections_)
        if (each.fd >= 0) ::close(each.fd);
    connections_.clear();
    seen_.clear();
}

void Recorder::add_to(std::vector<pollfd>& polled) const {
    polled.push_back({listener_, POLLIN, 0});
    for (const auto& each : connections_)
        if (each.fd >= 0) polled.push_back({each.fd, POLLIN, 0});
}

void Recorder::serve(const std::vector<pollfd>& polled) {
    for (const auto& each : polled) {
        if (each.revents == 0) continue;
        if (each.fd == listener_) accept_all();
        const auto found = std::ranges::find(connections_, each.fd, &Connected::fd);
        if (each.fd >= 0 && found != connections_.end()) read(*found);
    }
}

void Recorder::accept_all() {
    while (true) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        connections_.emplace_back();
        connections_.back().fd = fd;
        read(connections_.back());
    }
}

void Recorder::read(Connected& connected) {
    const auto bytes = receive(connected.fd);
    if (!bytes) {
        ::close(std::exchange(connected.fd, -1));
        return;
    }
    const auto whole = connected.reader.feed(*bytes);
    for (const auto& each : whole) {
        connected.seen.push_back(each);
        seen_.push_back(each);
        ::send(connected.fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    }
    if (connected.reader.broken().empty()) return;
    ::send(connected.fd, kBroken.data(), kBroken.size(), MSG_NOSIGNAL);
    ::close(std::exchange(connected.fd, -1));
}

std::vector<Seen> Recorder::take() {
    for (auto& each : connections_) {
        each.seen.clear();
        each.reader.forget();
    }
    std::erase_if(connections_, [](const Connected& each) { return each.fd < 0; });
    return std::exchange(seen_, {});
}

bool Recorder::in_the_middle() const {
    return std::ranges::any_of(
        connections_, [](const Connected& each) { return each.fd >= 0 && each.reader.in_the_middle(); });
}

Exchanged exchange(Connection client, const std::vector<std::string_view>& segments, std::size_t answers,
                   Recorder& recorder) {
    const int one = 1;
    ::setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // a unix socket needs none
    Exchanged result;
    auto next = segments.begin();
    std::string_view left;
    bool sending = true;
    bool reading = true;
    std::vector<pollfd> polled;
    while (reading || recorder.in_the_middle()) {
        if (left.empty() && next != segments.end()) left = *next++;
        if (sending && left.empty() && result.answers.size() >= answers) {
            client.shutdown_send();
            sending = false;
        }
        polled.clear();
        const auto sends = static_cast<short>(sending && !left.empty() ? POLLOUT : 0);
        if (reading) polled.push_back({client.fd(), static_cast<short>(POLLIN | sends), 0});
        recorder.add_to(polled);
        const int ready = ::poll(polled.data(), polled.size(), kPatienceMs);
        if (ready == 0) {
            result.in_time = false;
            // To see what comes when no more does.
            if (!std::exchange(sending, false)) return result;
            client.shutdown_send();
            left = {};
            next = segments.end();
            continue;
        }
        recorder.serve(polled);
        if (!reading) continue;
        const auto events = polled.front().revents;
        if ((events & POLLOUT) != 0 && !left.empty()) {
            const auto sent = ::send(client.fd(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
            if (sent < 0 && errno != EAGAIN && errno != EINTR) sending = false;
        }
        if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        const auto bytes = receive(client.fd());
        reading = bytes.has_value();
        if (!reading || bytes->empty()) continue;
        result.text += *bytes;
        result.answers = final_answers(result.text);
    }
    // What an upstream was sent before its client heard of the end is there by now.
    do {
        polled.clear();
        recorder.add_to(polled);
        if (::poll(polled.data(), polled.size(), 0) <= 0) break;
        recorder.serve(polled);
    } while (true);
    return result;
}

}  // namespace agentdb9::test
