#include "proxy/metrics.hpp"

#include <algorithm>
#include <utility>

namespace agentdb9::proxy {
namespace {

constexpr std::size_t kPlainNumbers = 23;

// Those that are no arrays.
auto plain_numbers(auto& m) {
    return std::tie(m.connections_accepted, m.connections_refused, m.connections_open, m.tls_handshakes,
                    m.tls_handshakes_failed, m.requests_api, m.requests_relayed, m.requests_refused,
                    m.requests_failed, m.requests_aborted, m.heads_refused, m.relays_in_flight,
                    m.tunnels_open, m.tunnels_closed_by_us, m.upstream_connects, m.upstream_reuses,
                    m.upstream_retries, m.token_hits, m.token_misses, m.bytes_to_clients,
                    m.bytes_from_clients, m.access_lines, m.access_dropped);
}

// A number that is added above and forgotten here does not build.
constexpr std::size_t kNumbers = kPlainNumbers + kStatusClasses.size() * kRequestKinds.size() +
                                 kLimitHits.size() + kRefusalWords.size() + 2 * sizeof(Histogram) / 8;
static_assert(sizeof(Metrics) == (kNumbers * 8 + 63) / 64 * 64);
static_assert(std::tuple_size_v<decltype(plain_numbers(std::declval<Metrics&>()))> == kPlainNumbers);

template <std::size_t Size>
void add(std::array<Counter, Size>& to, const std::array<Counter, Size>& from) {
    for (std::size_t i = 0; i < Size; ++i)
        to[i] += from[i];
}

void add(Histogram& to, const Histogram& from) {
    add(to.buckets, from.buckets);
    to.sum_microseconds += from.sum_microseconds;
}

}  // namespace

std::size_t refusal_index(std::string_view word) {
    const auto* found = std::ranges::find(kRefusalWords, word);
    return found == kRefusalWords.end() ? kRefusalWords.size() - 1
                                        : static_cast<std::size_t>(found - kRefusalWords.begin());
}

void Histogram::record(std::chrono::nanoseconds duration) {
    const auto microseconds = std::max<std::int64_t>(duration.count() / 1'000, 0);
    std::size_t bucket = 0;
    while (bucket < kBoundsMicroseconds.size() && microseconds > kBoundsMicroseconds[bucket])
        ++bucket;
    ++buckets[bucket];
    sum_microseconds += static_cast<std::uint64_t>(microseconds);
}

std::uint64_t Histogram::count() const {
    std::uint64_t all = 0;
    for (const auto& bucket : buckets)
        all += bucket;
    return all;
}

Metrics& Metrics::operator+=(const Metrics& other) {
    [&]<std::size_t... I>(std::index_sequence<I...>, auto to, auto from) {
        ((std::get<I>(to) += static_cast<std::uint64_t>(std::get<I>(from))), ...);
    }(std::make_index_sequence<kPlainNumbers>(), plain_numbers(*this), plain_numbers(other));
    for (std::size_t i = 0; i < requests.size(); ++i)
        add(requests[i], other.requests[i]);
    add(limits_hit, other.limits_hit);
    add(refusals, other.refusals);
    add(upstream_connect_time, other.upstream_connect_time);
    add(upstream_first_byte_time, other.upstream_first_byte_time);
    return *this;
}

}  // namespace agentdb9::proxy
