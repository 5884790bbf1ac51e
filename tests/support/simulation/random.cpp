#include "support/simulation/random.hpp"

#include <sodium.h>

#include <cstdlib>

namespace agentdb9::test {
namespace {

// Each thread runs a simulation of its own.
thread_local Random ids(0);

void fill(void* buffer, std::size_t size) {
    auto* bytes = static_cast<unsigned char*>(buffer);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < size; ++i) {
        if (i % 8 == 0) word = ids.next();
        bytes[i] = static_cast<unsigned char>(word >> (8 * (i % 8)));
    }
}

const char* name() {
    return "simulation";
}

std::uint32_t word() {
    return static_cast<std::uint32_t>(ids.next());
}

randombytes_implementation implementation{.implementation_name = name,
                                          .random = word,
                                          .stir = nullptr,
                                          .uniform = nullptr,
                                          .buf = fill,
                                          .close = nullptr};

}  // namespace

void seed_ids(std::uint64_t seed) {
    // It draws some for itself when it is first used: that must not come out of the first sequence only.
    static const bool ready = [] {
        randombytes_set_implementation(&implementation);
        return sodium_init() >= 0;
    }();
    if (!ready) std::abort();
    ids = Random(seed);
}

}  // namespace agentdb9::test
