#include "cli/data_plane_metrics.hpp"

#include <charconv>

namespace agentdb9::cli {
namespace {

using Kind = api::Metric::Kind;
using proxy::Metrics;

class List {
  public:
    void counter(std::string name, std::string help, std::uint64_t value, std::string labels = {}) {
        add(std::move(name), std::move(help), Kind::kCounter, static_cast<double>(value), std::move(labels),
            {});
    }
    void gauge(std::string name, std::string help, std::int64_t value) {
        add(std::move(name), std::move(help), Kind::kGauge, static_cast<double>(value), {}, {});
    }
    // One line for each word, with the label `label`.
    template <std::size_t Size>
    void by_word(const std::string& name, const std::string& help, const std::string& label,
                 const std::array<std::string_view, Size>& words,
                 const std::array<proxy::Counter, Size>& counters) {
        for (std::size_t i = 0; i < Size; ++i)
            counter(name, help, counters[i], label + "=\"" + std::string(words[i]) + "\"");
    }
    void histogram(const std::string& name, const std::string& help, const proxy::Histogram& histogram);
    std::vector<api::Metric> take() { return std::move(all_); }

  private:
    void add(std::string name, std::string help, Kind kind, double value, std::string labels,
             std::string suffix) {
        all_.push_back({std::move(name), std::move(help), kind, value, std::move(labels), std::move(suffix)});
    }
    std::vector<api::Metric> all_;
};

std::string seconds_text(std::int64_t microseconds) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   static_cast<double>(microseconds) / 1e6, std::chars_format::fixed)
                         .ptr;
    return {digits.data(), end};
}

void List::histogram(const std::string& name, const std::string& help, const proxy::Histogram& histogram) {
    // Every line from the same look at the buckets, so that they agree with each other.
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
        so_far += histogram.buckets[i];
        const auto& bounds = proxy::Histogram::kBoundsMicroseconds;
        const auto bound = i < bounds.size() ? seconds_text(bounds[i]) : "+Inf";
        add(name, help, Kind::kHistogram, static_cast<double>(so_far), "le=\"" + bound + "\"", "_bucket");
    }
    const auto sum = static_cast<double>(std::uint64_t{histogram.sum_microseconds}) / 1e6;
    add(name, help, Kind::kHistogram, sum, {}, "_sum");
    add(name, help, Kind::kHistogram, static_cast<double>(so_far), {}, "_count");
}

void add_connections(List& list, const Metrics& m) {
    list.counter("agentdb9_connections_accepted_total", "Client connections.", m.connections_accepted);
    list.counter("agentdb9_connections_refused_total",
                 "Client connections over a limit when they were opened.", m.connections_refused);
    const std::string handshakes = "agentdb9_tls_handshakes_total";
    const std::string help = "TLS handshakes by what became of them.";
    list.counter(handshakes, help, m.tls_handshakes, "outcome=\"done\"");
    list.counter(handshakes, help, m.tls_handshakes_failed, "outcome=\"failed\"");
    list.gauge("agentdb9_connections_open", "Client connections that are open.", m.connections_open);
    list.gauge("agentdb9_tunnels_open", "Upgraded connections (WebSocket) to applications.", m.tunnels_open);
    list.by_word("agentdb9_limits_hit_total", "Connections and requests that reached a limit of [proxy].",
                 "limit", proxy::kLimitHits, m.limits_hit);
}

void add_requests(List& list, const Metrics& m) {
    const std::string name = "agentdb9_requests_total";
    const std::string help = "Requests by what became of them.";
    list.counter(name, help, m.requests_api, "outcome=\"api\"");
    list.counter(name, help, m.requests_relayed, "outcome=\"relayed\"");
    list.counter(name, help, m.requests_refused, "outcome=\"refused\"");
    list.counter(name, help, m.requests_failed, "outcome=\"failed\"");
    list.counter(name, help, m.requests_aborted, "outcome=\"aborted\"");
    list.counter(name, help, m.heads_refused, "outcome=\"not_http\"");
    for (std::size_t kind = 0; kind < proxy::kRequestKinds.size(); ++kind) {
        for (std::size_t status = 0; status < proxy::kStatusClasses.size(); ++status) {
            list.counter("agentdb9_answers_total", "Requests by kind and status; none: no answer was sent.",
                         m.requests[kind][status],
                         "kind=\"" + std::string(proxy::kRequestKinds[kind]) + "\",status=\"" +
                             std::string(proxy::kStatusClasses[status]) + "\"");
        }
    }
    list.by_word("agentdb9_refusals_total", "Refusals of the data plane by their code.", "code",
                 proxy::kRefusalWords, m.refusals);
    list.gauge("agentdb9_relays_in_flight", "Requests on their way to applications.", m.relays_in_flight);
    list.counter("agentdb9_bytes_to_clients_total", "Bytes sent to clients.", m.bytes_to_clients);
    list.counter("agentdb9_bytes_from_clients_total", "Bytes received from clients.", m.bytes_from_clients);
}

void add_upstreams(List& list, const Metrics& m) {
    list.counter("agentdb9_upstream_connects_total", "Connections made to applications.",
                 m.upstream_connects);
    list.counter("agentdb9_upstream_reuses_total", "Requests on kept connections.", m.upstream_reuses);
    list.counter("agentdb9_upstream_retries_total", "Requests sent again on a fresh connection.",
                 m.upstream_retries);
    list.histogram("agentdb9_upstream_connect_seconds", "Until a connection to an application stood.",
                   m.upstream_connect_time);
    list.histogram("agentdb9_upstream_first_byte_seconds",
                   "From a request's head on that connection to the head of its answer.",
                   m.upstream_first_byte_time);
}

}  // namespace

std::vector<api::Metric> data_plane_metrics(const Metrics& metrics) {
    List list;
    add_connections(list, metrics);
    add_requests(list, metrics);
    add_upstreams(list, metrics);
    list.counter("agentdb9_access_log_lines_total", "Lines put into the access log.", metrics.access_lines);
    list.counter("agentdb9_access_log_dropped_total", "Lines for which the access log's queue had no room.",
                 metrics.access_dropped);
    return list.take();
}

}  // namespace agentdb9::cli
