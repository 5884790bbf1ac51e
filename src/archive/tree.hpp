// A directory's tree as a tar stream, read from the file system itself. What is in the tree may change while
// it is read, and be made by somebody who means harm: nothing outside of it gets into the stream.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/descriptor.hpp"

namespace agentdb9::archive {

// Control executor; has a thread of its own while it lives. The root's entry comes first, each directory's
// before those in it; links are not followed; files of several names are hard links after the first. Sockets
// and devices are left out, and what vanishes meanwhile. Fails with kUnavailable "volume_unreadable".
class TreeReader final : public base::ByteSource {
  public:
    // `root`: the directory, opened for reading.
    TreeReader(asio::any_io_executor executor, base::Descriptor root);
    ~TreeReader() override;

    Task<std::size_t> read(std::span<char> room) override;

  private:
    struct Work;
    std::unique_ptr<Work> work_;
};

}  // namespace agentdb9::archive
