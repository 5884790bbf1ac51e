// What the runtime's host has to give. A value; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace agentdb9::runtime {

struct HostCapacity {
    std::string name;         // "docker"
    std::string version;      // of the engine
    std::string api_version;  // negotiated
    int cpus = 0;
    std::int64_t memory_bytes = 0;
};

}  // namespace agentdb9::runtime
