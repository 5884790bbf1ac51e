// Reading from and writing to what may not be ready. Standard streams may be non-blocking without this
// program's doing: O_NONBLOCK belongs to the pipe or terminal itself, and whoever shares that can set it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace agentdb9::cli::client {

// Waits until something is there, or the end: 0. Absent: it cannot be read, and errno says why.
std::optional<std::size_t> read_some(int fd, std::span<char> room);
// Waits until all is written. False: errno says why it cannot be.
bool write_all(int fd, std::string_view bytes);

}  // namespace agentdb9::cli::client
