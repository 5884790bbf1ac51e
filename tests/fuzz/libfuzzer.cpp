// One libFuzzer program a target; TARGET is the function's name.
#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    agentdb9::fuzz::TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
