// A stream on one end of a socket pair, and the other end in the test's hands.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/stream.hpp"

namespace agentdb9::test {

struct StreamPair {
    asio::io_context io{1};
    http::Loop loop{io};
    std::unique_ptr<http::Stream> stream;
    int other = -1;
    int own = -1;  // the stream's

    StreamPair() {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
            throw std::runtime_error("socketpair");
        other = fds[1];
        own = fds[0];
        stream = std::make_unique<http::Stream>(loop, base::Descriptor(fds[0]));
    }
    ~StreamPair() { close_other(); }
    StreamPair(const StreamPair&) = delete;
    StreamPair& operator=(const StreamPair&) = delete;

    void write(std::string_view bytes) const {
        while (!bytes.empty()) {
            auto sent = ::send(other, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error("send");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void close_other() {
        if (other >= 0) ::close(std::exchange(other, -1));
    }
    // Runs `task` to its end; the loop ticks meanwhile, so that deadlines count.
    template <class T>
    T run(Task<T> task) {
        std::optional<T> result;
        loop.start({});
        asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure, T value) {
            if (failure) std::rethrow_exception(failure);
            result.emplace(std::move(value));
            loop.stop();
        });
        io.restart();
        io.run();
        return std::move(*result);
    }
};

}  // namespace agentdb9::test
