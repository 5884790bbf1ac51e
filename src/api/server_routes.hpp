// What the server says of itself: /healthz, /readyz, /metrics.
#pragma once

#include <functional>
#include <string>

#include "api/router.hpp"
#include "base/clock.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace agentdb9::api {

// One number for /metrics, in Prometheus' words.
struct Metric {
    enum class Kind { kCounter, kGauge, kHistogram };
    std::string name;  // "agentdb9_requests_total"
    std::string help;
    Kind kind = Kind::kGauge;
    double value = 0;
    std::string labels;  // `state="open"`; empty: none
    std::string suffix;  // of the name in this line: "_bucket", "_sum" or "_count" of a histogram
};

// All outlive the router.
struct ServerParts {
    base::Clock& clock;
    store::Store& store;
    runtime::Runtime& runtime;
    std::string version;
    std::function<std::vector<Metric>()> metrics;
};

void add_server_routes(Router& router, const ServerParts& parts);

// Prometheus text exposition format 0.0.4. Metrics of one name stand together.
std::string metrics_text(const std::vector<Metric>& metrics);

}  // namespace agentdb9::api
