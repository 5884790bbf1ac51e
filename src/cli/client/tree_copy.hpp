// Files of this machine into a tar stream, and out of one. Blocking; each on a thread of its own that has
// called archive::use_utf8_names(). Throws base::Error with a sentence for whoever copies.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "archive/tar.hpp"
#include "base/descriptor.hpp"

namespace agentdb9::cli::client {

struct Copied {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> left_out;  // names of sockets, pipes and devices; the first few
};

// The name under which something of this machine is copied: "." and the like have that of their directory.
std::string name_of_source(const std::string& path);

// Each under its own name. A link that is named itself is followed; others are copied as links.
Copied pack(const std::vector<std::string>& paths, const std::function<void(std::span<const char>)>& sink);
// One file, of an open descriptor with `size` bytes left.
Copied pack_open_file(int file, std::uint64_t size, const std::string& name,
                      const std::function<void(std::span<const char>)>& sink);

// What a stream of the API holds, as `name` in `directory`. Nothing is written through a link that lies there
// or comes with the stream; a file gets its name when all of it is there.
Copied unpack(archive::TarReader& tar, const std::string& directory, const std::string& name);
// The content of the one file that the stream holds.
Copied unpack_to(archive::TarReader& tar, int descriptor);

}  // namespace agentdb9::cli::client
