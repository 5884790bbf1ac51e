// Descriptors, connections to 127.0.0.1 and epoll, as far as the programs of this bench need them. They share
// nothing with the server's own code, so that a mistake there cannot hide itself here. One thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace agentdb9::bench {

using Clock = std::chrono::steady_clock;

// Owns a descriptor.
class Fd {
  public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

// Connected, without Nagle's delay, blocking with a limit of ten seconds; invalid where that fails.
// `receive_buffer`: SO_RCVBUF in bytes, 0 for the system's choice.
Fd connect_to(std::uint16_t port, int receive_buffer = 0);
// Bound to a free port of 127.0.0.1, not blocking. Throws std::system_error.
Fd listen_anywhere();
std::uint16_t port_of(const Fd& fd);
void make_non_blocking(const Fd& fd);
// On a blocking socket: everything or false.
bool send_all(const Fd& fd, std::string_view bytes);

// Level-triggered.
class Poller {
  public:
    Poller();
    void add(const Fd& fd, void* tag, std::uint32_t events = EPOLLIN);
    void change(const Fd& fd, void* tag, std::uint32_t events);
    // Waits until an event or `until`. The span is good until the next call.
    std::span<const epoll_event> wait(Clock::time_point until);

  private:
    Fd fd_;
    std::array<epoll_event, 256> events_{};
};

}  // namespace agentdb9::bench
