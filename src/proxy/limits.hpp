// What the data plane allows and how long it waits. Each is a default that tests and the configuration may
// change.
#pragma once

#include <chrono>
#include <cstddef>

namespace agentdb9::proxy {

struct Limits {
    // Those over it are answered 503.
    std::size_t connections_per_worker = 16'384;
    // Those over them are answered 429, and counted as ConnectionCounts says.
    std::size_t connections_per_address = 10'000;
    std::size_t connections_per_user = 6'000;
    std::size_t api_body_bytes = 1024UL * 1024;
    // Of a body for the API that is sent without a good token: no more memory than a head has.
    std::size_t strangers_body_bytes = 32UL * 1024;
    // Of all larger ones that a worker holds at once; those over it are answered 503.
    std::size_t large_bodies_bytes = 64UL * 1024 * 1024;
    // From a head's first byte to its last.
    std::chrono::milliseconds head{10'000};
    std::chrono::milliseconds idle_connection{75'000};
    // A body that makes no progress, in either direction.
    std::chrono::milliseconds stall{120'000};
    // From a request's head to the end of its answer; not of what was upgraded. Kept to the second. Zero: no
    // limit.
    std::chrono::milliseconds total{0};
    // How long a request waits for a workspace that starts or switches.
    std::chrono::milliseconds hold{10'000};
    std::chrono::milliseconds upstream_connect{5'000};
    // From the end of the request to the head of the answer.
    std::chrono::milliseconds upstream_head{300'000};
    std::chrono::milliseconds upstream_idle{30'000};
    std::size_t upstream_idle_per_endpoint = 64;
    // Between the close frame and the end of a tunnel's connections.
    std::chrono::milliseconds tunnel_close{1'000};
    // What is read, and for how long, of a body that was refused, so that the answer is not lost in a reset.
    std::chrono::milliseconds linger{2'000};
    std::size_t linger_bytes = 16UL * 1024 * 1024;
    std::size_t tokens_per_worker = 4'096;
};

}  // namespace agentdb9::proxy
