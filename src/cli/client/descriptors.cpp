#include "cli/client/descriptors.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace agentdb9::cli::client {
namespace {

// Whether the call is to be made again, once it has been waited for what it needs.
bool comes_again(int fd, short events) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN) return false;
    pollfd polled{fd, events, 0};
    return ::poll(&polled, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

std::optional<std::size_t> read_some(int fd, std::span<char> room) {
    for (;;) {
        const auto got = ::read(fd, room.data(), room.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (!comes_again(fd, POLLIN)) return std::nullopt;
    }
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto put = ::write(fd, bytes.data(), bytes.size());
        if (put >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(put));
        } else if (!comes_again(fd, POLLOUT)) {
            return false;
        }
    }
    return true;
}

}  // namespace agentdb9::cli::client
