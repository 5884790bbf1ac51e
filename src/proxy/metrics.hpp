// What one worker counts: written by its thread alone, read by any. Each number is exact, the set of them is
// not a snapshot. No number is of one workspace or user: what is kept here is bounded.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace agentdb9::proxy {

// One writer: a plain load and store, never a locked instruction. Wraps, so that sums of gauges come out
// right whoever took away what another added.
template <class Value>
class Number {
  public:
    Number() = default;
    Number(const Number& other) : value_(other.load()) {}
    Number& operator=(const Number& other) {
        value_.store(other.load(), std::memory_order_relaxed);
        return *this;
    }
    operator Value() const { return static_cast<Value>(load()); }  // NOLINT(google-explicit-constructor)
    Number& operator+=(std::uint64_t amount) {
        value_.store(load() + amount, std::memory_order_relaxed);
        return *this;
    }
    Number& operator++() { return *this += 1; }
    Number& operator--() { return *this += ~std::uint64_t{0}; }

  private:
    std::uint64_t load() const { return value_.load(std::memory_order_relaxed); }
    std::atomic<std::uint64_t> value_ = 0;
};
using Counter = Number<std::uint64_t>;
using Gauge = Number<std::int64_t>;

// What a request was for, as far as it was found out.
enum class RequestKind : std::uint8_t { kApi, kOperator, kApplication, kUpgrade, kInvalid };
inline constexpr std::array<std::string_view, 5> kRequestKinds{"api", "operator", "application", "upgrade",
                                                               "invalid"};

// By the first digit of the status that the client was sent; index 0: it was sent none.
inline constexpr std::array<std::string_view, 6> kStatusClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::size_t status_class(int status) {
    return status >= 100 && status < 600 ? static_cast<std::size_t>(status / 100) : 0;
}

// What of proxy::Limits was reached.
enum class LimitHit : std::uint8_t {
    kServerConnections,
    kAddressConnections,
    kUserConnections,
    kHead,
    kBody,
    kTotal,
    kUpstreamConnect,
    kUpstreamHead,
    kLargeBodies,
};
inline constexpr std::array<std::string_view, 9> kLimitHits{
    "server_connections", "address_connections", "user_connections", "head", "body", "total",
    "upstream_connect",   "upstream_head",       "large_bodies"};

// The words of refusals that are counted by name; all others together as "other".
inline constexpr std::array<std::string_view, 22> kRefusalWords{
    "bad_request",           "body_too_large",
    "foreign_origin",        "forbidden",
    "head_too_large",        "http_version_not_supported",
    "internal_error",        "not_found",
    "request_timeout",       "ticket_invalid",
    "token_expired",         "token_revoked",
    "too_many_connections",  "unauthenticated",
    "unavailable",           "upstream_invalid",
    "upstream_timeout",      "upstream_unreachable",
    "workspace_not_found",   "workspace_not_ready",
    "workspace_not_running", "other"};
std::size_t refusal_index(std::string_view word);

// Durations by fixed bounds.
struct Histogram {
    static constexpr std::array<std::int64_t, 15> kBoundsMicroseconds{
        500,     1'000,   2'500,     5'000,     10'000,    25'000,     50'000,    100'000,
        250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000};
    // Not cumulative: each duration is in the first bucket whose bound it does not exceed, or in the last.
    std::array<Counter, kBoundsMicroseconds.size() + 1> buckets;
    Counter sum_microseconds;

    void record(std::chrono::nanoseconds duration);
    std::uint64_t count() const;
};

struct alignas(64) Metrics {
    Counter connections_accepted;
    Counter connections_refused;  // over a limit, when they were opened
    Gauge connections_open;
    Counter tls_handshakes;
    Counter tls_handshakes_failed;  // not TLS, nothing in common, too slow
    Counter requests_api;
    Counter requests_relayed;  // an upstream's answer reached the client whole
    Counter requests_refused;  // answered by the data plane itself with 4xx
    Counter requests_failed;   // … with 5xx
    Counter requests_aborted;  // the client or the upstream went away in the middle
    Counter heads_refused;     // not HTTP, too large, too slow
    Gauge relays_in_flight;
    Gauge tunnels_open;
    Counter tunnels_closed_by_us;
    Counter upstream_connects;
    Counter upstream_reuses;
    Counter upstream_retries;
    Counter token_hits;
    Counter token_misses;
    Counter bytes_to_clients;
    Counter bytes_from_clients;
    Counter access_lines;
    Counter access_dropped;  // lines for which the log's queue had no room
    std::array<std::array<Counter, kStatusClasses.size()>, kRequestKinds.size()> requests;
    std::array<Counter, kLimitHits.size()> limits_hit;
    std::array<Counter, kRefusalWords.size()> refusals;
    Histogram upstream_connect_time;     // from the first packet until the connection stands
    Histogram upstream_first_byte_time;  // from the request's head on the connection to the answer's head

    void hit(LimitHit limit) { ++limits_hit[static_cast<std::size_t>(limit)]; }
    void refused(std::string_view word) { ++refusals[refusal_index(word)]; }
    Metrics& operator+=(const Metrics& other);
};

}  // namespace agentdb9::proxy
