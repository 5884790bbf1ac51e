// Listening sockets, TCP or unix. Bound when made; accepts when asked.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <string>

#include "http/stream.hpp"

namespace agentdb9::http {

class Listener {
  public:
    // With `shared`, several listeners (one a worker) may hold the same port and the kernel spreads
    // connections over them. The first one of a fixed port is made with `probe`, which refuses a port that
    // another process holds. Error: a sentence's second half ("address already in use").
    static std::expected<std::unique_ptr<Listener>, std::string> tcp(asio::io_context& io,
                                                                     const std::string& address,
                                                                     std::uint16_t port, bool probe);
    // Replaces a socket that nobody listens on any more; mode 0600. The file goes with the listener.
    static std::expected<std::unique_ptr<Listener>, std::string> unix_socket(asio::io_context& io,
                                                                             const std::string& path);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::uint16_t port() const;  // 0 for a unix socket
    // kCancelled after close(); kReset when the system has no descriptor left: wait before the next try.
    Task<IoResult<std::unique_ptr<Stream>>> accept(Loop& loop);
    // On the loop's thread.
    void close();

  private:
    explicit Listener(asio::io_context& io) : descriptor_(io) {}

    // A plain wait on the descriptor and accept4(): one way for both families.
    asio::posix::stream_descriptor descriptor_;
    std::string path_;
    bool closed_ = false;
};

}  // namespace agentdb9::http
