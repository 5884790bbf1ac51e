#include "cli/control_plane_metrics.hpp"

#include "cli/version.hpp"

namespace agentdb9::cli {
namespace {

std::string labels(std::initializer_list<std::pair<std::string_view, std::string_view>> all) {
    std::string text;
    for (const auto& [name, value] : all)
        text += (text.empty() ? "" : ",") + metric_label(name, value);
    return text;
}

void add_start_queue_metrics(MetricList& list, const services::AdmissionQueue& queue,
                             const base::Histogram& waits) {
    const auto gauge = [&](std::string name, std::string help, std::size_t value) {
        list.gauge(std::move(name), std::move(help), static_cast<double>(value));
    };
    gauge("agentdb9_start_queue_length", "Workspaces that wait for their turn to be started.",
          queue.waiting());
    gauge("agentdb9_starts_in_progress", "Workspaces that are being created or started.", queue.inside());
    gauge("agentdb9_starts_limit", "How many are at once (docker.maxParallelStarts).", queue.limit());
    list.histogram("agentdb9_start_queue_wait_seconds",
                   "How long workspaces waited for their turn to be started.", waits);
}

void add_watchers(MetricList& list, const services::MonitoringCounts& counts, std::int64_t event_watchers) {
    const auto gauge = [&](const char* name, const char* help, std::int64_t value, std::string_view of) {
        list.gauge(name, help, static_cast<double>(value), metric_label("of", of));
    };
    constexpr auto kStreams = "agentdb9_monitoring_engine_streams";
    constexpr auto kStreamsHelp = "Streams of the engine that are open for those who watch.";
    constexpr auto kWatchers = "agentdb9_monitoring_watchers";
    constexpr auto kWatchersHelp =
        "Who follows the log of a container, what it uses, or what happens to workspaces.";
    gauge(kStreams, kStreamsHelp, counts.log_streams, "log");
    gauge(kStreams, kStreamsHelp, counts.usage_streams, "stats");
    gauge(kWatchers, kWatchersHelp, counts.log_watchers, "log");
    gauge(kWatchers, kWatchersHelp, counts.usage_watchers, "stats");
    gauge(kWatchers, kWatchersHelp, event_watchers, "events");
}

void add_routes(MetricList& list, const services::RouteBook::Counts& counts) {
    const auto gauge = [&](std::string_view route, std::size_t value) {
        list.gauge(
            "agentdb9_workspaces",
            "Workspaces by what a request to their application meets: it is relayed, waits, or is refused.",
            static_cast<double>(value), metric_label("route", route));
    };
    gauge("ready", counts.ready);
    gauge("held", counts.held);
    gauge("stopped", counts.stopped);
}

}  // namespace

void add_api_metrics(MetricList& list, const api::CallMeasures& calls) {
    for (const auto& [endpoint, measure] : calls) {
        for (const auto& [status, count] : measure.by_status) {
            list.counter("agentdb9_api_requests_total", "Requests of the API by endpoint and status.", count,
                         labels({{"method", endpoint->method},
                                 {"route", endpoint->pattern},
                                 {"status", std::to_string(status)}}));
        }
    }
    for (const auto& [endpoint, measure] : calls) {
        list.histogram(
            "agentdb9_api_request_seconds",
            "From a request of the API to the head of its answer, waiting for an operation included.",
            measure.took, labels({{"method", endpoint->method}, {"route", endpoint->pattern}}));
    }
}

void add_store_metrics(MetricList& list, const store::Store& store) {
    constexpr std::array kModes{std::pair{store::Mode::kRead, "read"},
                                std::pair{store::Mode::kWrite, "write"}};
    for (const auto& [mode, word] : kModes) {
        const auto& measures = store.measures(mode);
        for (std::size_t i = 0; i < measures.kOutcomes.size(); ++i) {
            list.counter("agentdb9_store_transactions_total",
                         "Transactions by outcome; refused: what was asked for was not possible.",
                         measures.ended[i].load(std::memory_order_relaxed),
                         labels({{"mode", word}, {"outcome", measures.kOutcomes[i]}}));
        }
    }
    for (const auto& [mode, word] : kModes) {
        list.histogram("agentdb9_store_transaction_seconds",
                       "Transactions from begin to end, waiting for other writers included.",
                       store.measures(mode).took, metric_label("mode", word));
    }
    for (const auto& [mode, word] : kModes) {
        list.histogram("agentdb9_store_wait_seconds",
                       "How long transactions waited for one of the store's threads.",
                       store.measures(mode).waited, metric_label("mode", word));
    }
    for (const auto& [mode, word] : kModes) {
        const auto& measures = store.measures(mode);
        const auto begun = measures.begun.load(std::memory_order_relaxed);
        const auto asked = measures.asked.load(std::memory_order_relaxed);
        list.gauge("agentdb9_store_waiting", "Transactions that wait for one of the store's threads.",
                   asked > begun ? static_cast<double>(asked - begun) : 0.0, metric_label("mode", word));
    }
}

void add_engine_metrics(MetricList& list, const runtime::docker::EngineCalls& calls, bool connected) {
    list.gauge("agentdb9_runtime_connected", "Whether the engine's event stream stands.", connected ? 1 : 0);
    using Measures = runtime::docker::EngineCallMeasures;
    for (const auto& [call, measures] : calls) {
        for (std::size_t i = 0; i < Measures::kOutcomes.size(); ++i) {
            if (measures.ended[i] == 0 && i != Measures::kAnswered) continue;
            list.counter("agentdb9_engine_calls_total", "Calls to the engine by endpoint and outcome.",
                         measures.ended[i], labels({{"call", call}, {"outcome", Measures::kOutcomes[i]}}));
        }
    }
    for (const auto& [call, measures] : calls) {
        list.histogram("agentdb9_engine_call_seconds", "Calls to the engine, streams and transfers left out.",
                       measures.took, metric_label("call", call));
    }
}

void add_operation_metrics(MetricList& list, const services::OperationMeasures& workspaces,
                           const services::OperationMeasures& projects) {
    const auto add = [&](std::string_view of, const services::OperationMeasures& measures) {
        for (const auto& [key, took] : measures.all()) {
            const auto& [kind, outcome, by] = key;
            list.histogram("agentdb9_operation_seconds",
                           "Operations that this server ended, from the request to the end.", took,
                           labels({{"of", of}, {"kind", kind}, {"outcome", outcome}, {"by", by}}));
        }
    };
    add("workspace", workspaces);
    add("project", projects);
}

void add_reconciler_metrics(MetricList& list, const services::ReconcilerMeasures& measures,
                            const services::ReconcilerCounts& counts) {
    list.histogram("agentdb9_reconciler_lag_seconds",
                   "From a change of what is wanted until the reconciler looks at it.", measures.lag);
    for (std::size_t i = 0; i < measures.kResults.size(); ++i) {
        list.histogram("agentdb9_reconciler_pass_seconds", "Passes over one workspace by what came of them.",
                       measures.passes[i], metric_label("result", measures.kResults[i]));
    }
    const auto gauge = [&](std::string_view state, std::size_t value) {
        list.gauge(
            "agentdb9_reconciler_workspaces",
            "Workspaces that are worked on; whose last try failed; for which engine or database did not "
            "answer.",
            static_cast<double>(value), metric_label("state", state));
    };
    gauge("working", counts.working);
    gauge("failing", counts.failing);
    gauge("unreachable", counts.unreachable);
    list.gauge("agentdb9_leases_held", "Workspaces that this server leads, among several.",
               static_cast<double>(counts.leases));
}

void add_control_plane_metrics(MetricList& list, const Core& core) {
    list.gauge("agentdb9_build_info", "Which program this is; always 1.", 1,
               metric_label("version", kVersion));
    add_api_metrics(list, core.api.measures());
    add_store_metrics(list, *core.store);
    add_engine_metrics(list, core.docker.engine_calls(), core.reconciler.connected());
    add_operation_metrics(list, core.reconciler.measures().operations, core.project_work.measures());
    add_reconciler_metrics(list, core.reconciler.measures(), core.reconciler.counts());
    add_start_queue_metrics(list, core.reconciler.queue(), core.reconciler.measures().queue_waits);
    add_watchers(list, core.monitoring.counts(), core.events.watchers());
    add_routes(list, core.routes.counts());
    list.gauge("agentdb9_commands_running", "Commands that run in workspaces by the API.",
               static_cast<double>(core.executions.running()));
    list.gauge("agentdb9_terminals_open", "Terminals in workspaces.",
               static_cast<double>(core.terminals.running()));
}

}  // namespace agentdb9::cli
