// The engine's multiplexed output: frames of one byte stream, three of zero, four of length (big-endian),
// then the text (Engine API, "ContainerAttach: stream format"). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/monitoring.hpp"

namespace agentdb9::runtime::docker {

// The texts of all whole frames, in order. What is not in frames (a container with a terminal) comes back as
// it is.
std::string decode_log(std::string_view bytes);

// The same of a stream that comes in pieces, cut anywhere; nothing is copied.
class FrameSplitter {
  public:
    struct Part {
        std::size_t used = 0;   // of the bytes given
        std::string_view text;  // into them; empty where a header goes on
        OutputStream stream = OutputStream::kStdout;
    };
    // What is at the front of `bytes`, which are not empty.
    Part take(std::string_view bytes);

  private:
    std::string header_;
    std::size_t left_ = 0;  // of the frame
    OutputStream stream_ = OutputStream::kStdout;
};

}  // namespace agentdb9::runtime::docker
