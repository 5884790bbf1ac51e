// What the data plane counts. Written by the workers, read by anyone; each number is exact, the set of them
// is not a snapshot.
#pragma once

#include <atomic>
#include <cstdint>

namespace agentdb9::proxy {

struct Metrics {
    using Counter = std::atomic<std::uint64_t>;
    using Gauge = std::atomic<std::int64_t>;

    Counter connections_accepted = 0;
    Counter connections_refused = 0;  // over the limit
    Gauge connections_open = 0;
    Counter requests_api = 0;
    Counter requests_relayed = 0;  // an upstream's answer reached the client whole
    Counter requests_refused = 0;  // answered by the data plane itself with 4xx
    Counter requests_failed = 0;   // … with 5xx
    Counter requests_aborted = 0;  // the client or the upstream went away in the middle
    Counter heads_refused = 0;     // not HTTP, too large, too slow
    Gauge relays_in_flight = 0;
    Gauge tunnels_open = 0;
    Counter tunnels_closed_by_us = 0;
    Counter upstream_connects = 0;
    Counter upstream_reuses = 0;
    Counter upstream_retries = 0;
    Counter token_hits = 0;
    Counter token_misses = 0;
    Counter bytes_to_clients = 0;
    Counter bytes_from_clients = 0;
};

}  // namespace agentdb9::proxy
