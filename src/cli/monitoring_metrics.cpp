#include "cli/monitoring_metrics.hpp"

namespace agentdb9::cli {

void add_monitoring_metrics(std::vector<api::Metric>& all, const services::MonitoringCounts& counts,
                            std::int64_t event_watchers) {
    const auto gauge = [&](std::string name, std::string help, std::int64_t value, const std::string& of) {
        all.push_back({std::move(name),
                       std::move(help),
                       api::Metric::Kind::kGauge,
                       static_cast<double>(value),
                       "of=\"" + of + "\"",
                       {}});
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

}  // namespace agentdb9::cli
