#include "cli/start_queue_metrics.hpp"

#include <sstream>

namespace agentdb9::cli {
namespace {

constexpr auto kWaits = "agentdb9_start_queue_wait_seconds";
constexpr auto kWaitsHelp = "How long workspaces waited for their turn to be started.";

std::string bound_text(double seconds) {
    std::ostringstream text;
    text << seconds;
    return text.str();
}

}  // namespace

void add_start_queue_metrics(std::vector<api::Metric>& all, const services::AdmissionQueue& queue,
                             const services::WaitTimes& waits) {
    using Kind = api::Metric::Kind;
    const auto gauge = [&](std::string name, std::string help, std::size_t value) {
        all.push_back({std::move(name), std::move(help), Kind::kGauge, static_cast<double>(value), {}, {}});
    };
    gauge("agentdb9_start_queue_length", "Workspaces that wait for their turn to be started.",
          queue.waiting());
    gauge("agentdb9_starts_in_progress", "Workspaces that are being created or started.", queue.inside());
    gauge("agentdb9_starts_limit", "How many are at once (docker.maxParallelStarts).", queue.limit());
    const auto line = [&](double value, std::string labels, std::string suffix) {
        all.push_back({kWaits, kWaitsHelp, Kind::kHistogram, value, std::move(labels), std::move(suffix)});
    };
    for (std::size_t i = 0; i < services::WaitTimes::kBounds.size(); ++i) {
        line(static_cast<double>(waits.up_to[i]),
             "le=\"" + bound_text(services::WaitTimes::kBounds[i]) + "\"", "_bucket");
    }
    line(static_cast<double>(waits.count), "le=\"+Inf\"", "_bucket");
    line(waits.sum_seconds, {}, "_sum");
    line(static_cast<double>(waits.count), {}, "_count");
}

}  // namespace agentdb9::cli
