// The engine's multiplexed output: frames of one byte stream, three of zero, four of length (big-endian),
// then the text (Engine API, "ContainerAttach: stream format"). Pure.
#pragma once

#include <string>
#include <string_view>

namespace agentdb9::runtime::docker {

// The texts of all whole frames, in order. What is not in frames (a container with a terminal) comes back as
// it is.
std::string decode_log(std::string_view bytes);

}  // namespace agentdb9::runtime::docker
