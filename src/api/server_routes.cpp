#include "api/server_routes.hpp"

#include <charconv>

#include "api/envelope.hpp"
#include "base/log.hpp"

namespace agentdb9::api {
namespace {

constexpr std::chrono::seconds kPatience{2};

// Absent: it answers. Else what to tell about it, without its own words.
Task<std::optional<std::string>> problem_with(base::Clock& clock, std::string_view what, Task<> question) {
    std::optional<std::string> problem;
    try {
        if (!co_await base::with_timeout(clock, kPatience, std::move(question)))
            problem = std::string(what) + " does not answer in time";
    } catch (const base::Error& error) {
        log::debug("a readiness check failed", {{"part", what}, {"reason", error.what()}});
        problem = error.message();
    }
    co_return problem;
}

Task<> ask_store(store::Store& store) {
    co_await store.read([](store::Transaction& tx) { tx.settings().get("installationId"); });
}

Task<> ask_runtime(runtime::Runtime& runtime) {
    co_await runtime.info();
}

json::object check_of(const std::optional<std::string>& problem) {
    if (!problem) return {{"status", "up"}};
    return {{"status", "down"}, {"message", *problem}};
}

std::string_view name_of(Metric::Kind kind) {
    switch (kind) {
        case Metric::Kind::kCounter:
            return "counter";
        case Metric::Kind::kGauge:
            return "gauge";
        case Metric::Kind::kHistogram:
            return "histogram";
    }
    return "untyped";
}

class ServerRoutes {
  public:
    explicit ServerRoutes(const ServerParts& parts) : parts_(parts), started_(parts.clock.steady_now()) {}

    Task<http::Response> health(Call&) {
        co_return json_response(200, json::object{{"status", "ok"},
                                                  {"version", parts_.version},
                                                  {"uptime", uptime_seconds()},
                                                  {"timestamp", base::format_time(parts_.clock.now())}});
    }

    Task<http::Response> ready(Call&) {
        const auto store = co_await problem_with(parts_.clock, "The database", ask_store(parts_.store));
        const auto runtime =
            co_await problem_with(parts_.clock, "The container engine", ask_runtime(parts_.runtime));
        const bool ready = !store && !runtime;
        co_return json_response(ready ? 200 : 503,
                                json::object{{"status", ready ? "ready" : "not_ready"},
                                             {"checks", json::object{{"database", check_of(store)},
                                                                     {"runtime", check_of(runtime)}}}});
    }

    Task<http::Response> metrics(Call&) {
        auto all = parts_.metrics();
        all.push_back({"agentdb9_uptime_seconds",
                       "Time since the server started.",
                       Metric::Kind::kGauge,
                       static_cast<double>(uptime_seconds()),
                       {},
                       {}});
        http::Response response;
        response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        response.headers.set("Cache-Control", "no-store");
        response.body = metrics_text(all);
        co_return response;
    }

  private:
    std::int64_t uptime_seconds() const {
        return std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.steady_now() - started_).count();
    }

    ServerParts parts_;
    base::SteadyTime started_;
};

}  // namespace

std::string metrics_text(const std::vector<Metric>& metrics) {
    std::string text;
    std::string_view last;
    for (const auto& metric : metrics) {
        if (metric.name != last) {
            text.append("# HELP ").append(metric.name).append(" ").append(metric.help);
            text.append("\n# TYPE ")
                .append(metric.name)
                .append(" ")
                .append(name_of(metric.kind))
                .append("\n");
            last = metric.name;
        }
        text.append(metric.name).append(metric.suffix);
        if (!metric.labels.empty()) text.append("{").append(metric.labels).append("}");
        std::array<char, 32> number{};
        const auto end = std::to_chars(number.data(), number.data() + number.size(), metric.value).ptr;
        text.append(" ").append(number.data(), end).append("\n");
    }
    return text;
}

void add_server_routes(Router& router, const ServerParts& parts) {
    auto routes = std::make_shared<ServerRoutes>(parts);
    const auto add = [&](std::string path, Task<http::Response> (ServerRoutes::*handler)(Call&)) {
        router.add("GET", std::move(path), Access::kPublic,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("/healthz", &ServerRoutes::health);
    add("/health", &ServerRoutes::health);
    add("/readyz", &ServerRoutes::ready);
    add("/metrics", &ServerRoutes::metrics);
}

}  // namespace agentdb9::api
