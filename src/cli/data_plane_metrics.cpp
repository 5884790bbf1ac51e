#include "cli/data_plane_metrics.hpp"

#include "cli/metric_list.hpp"

namespace agentdb9::cli {
namespace {

using proxy::Metrics;

void add_connections(MetricList& list, const Metrics& m) {
    list.counter("agentdb9_connections_accepted_total", "Client connections.", m.connections_accepted);
    list.counter("agentdb9_connections_refused_total",
                 "Client connections over a limit when they were opened.", m.connections_refused);
    const std::string handshakes = "agentdb9_tls_handshakes_total";
    const std::string help = "TLS handshakes by what became of them.";
    list.counter(handshakes, help, m.tls_handshakes, "outcome=\"done\"");
    list.counter(handshakes, help, m.tls_handshakes_failed, "outcome=\"failed\"");
    list.gauge("agentdb9_connections_open", "Client connections that are open.",
               static_cast<double>(std::int64_t{m.connections_open}));
    list.gauge("agentdb9_tunnels_open", "Upgraded connections (WebSocket) to applications.",
               static_cast<double>(std::int64_t{m.tunnels_open}));
    list.by_word("agentdb9_limits_hit_total", "Connections and requests that reached a limit of [proxy].",
                 "limit", proxy::kLimitHits, m.limits_hit);
}

void add_requests(MetricList& list, const Metrics& m) {
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
    list.gauge("agentdb9_relays_in_flight", "Requests on their way to applications.",
               static_cast<double>(std::int64_t{m.relays_in_flight}));
    list.counter("agentdb9_bytes_to_clients_total", "Bytes sent to clients.", m.bytes_to_clients);
    list.counter("agentdb9_bytes_from_clients_total", "Bytes received from clients.", m.bytes_from_clients);
}

void add_upstreams(MetricList& list, const Metrics& m) {
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

void add_data_plane_metrics(MetricList& list, const Metrics& metrics) {
    add_connections(list, metrics);
    add_requests(list, metrics);
    add_upstreams(list, metrics);
    list.counter("agentdb9_access_log_lines_total", "Lines put into the access log.", metrics.access_lines);
    list.counter("agentdb9_access_log_dropped_total", "Lines for which the access log's queue had no room.",
                 metrics.access_dropped);
}

}  // namespace agentdb9::cli
