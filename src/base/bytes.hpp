// Streams of bytes between components: whoever gives waits until whoever takes has room, so that a stream of
// any size needs little memory. Control executor.
#pragma once

#include <cstddef>
#include <span>

#include "base/async.hpp"

namespace agentdb9::base {

class ByteSink {
  public:
    virtual ~ByteSink() = default;
    // Takes all of `bytes`, which need to live until it returns. Throws when the stream is of no use any
    // more.
    virtual Task<> write(std::span<const char> bytes) = 0;
};

class ByteSource {
  public:
    virtual ~ByteSource() = default;
    // Fills at most all of `room`, which is not empty; returns how much of it. 0: the stream has ended.
    virtual Task<std::size_t> read(std::span<char> room) = 0;
};

}  // namespace agentdb9::base
