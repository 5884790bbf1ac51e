#include "api/monitoring_routes.hpp"

#include <charconv>

#include "api/envelope.hpp"
#include "api/event_stream.hpp"
#include "api/log_text.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;

constexpr std::string_view kNoContainer =
    "The workspace has no container at present, and so no log; start it to have one.";
constexpr std::string_view kLeftOut =
    "Earlier lines are left out, for there is more than one answer holds; ask for fewer (tail) or later ones "
    "(since).";

std::int64_t whole_number(const Call& call, std::string_view field, std::int64_t least, std::int64_t most,
                          std::int64_t otherwise) {
    const auto text = call.query(field);
    if (!text) return otherwise;
    std::int64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || stop != end || value < least || value > most) {
        throw base::invalid_field(std::string(field), "must be a whole number from " + std::to_string(least) +
                                                          " to " + std::to_string(most));
    }
    return value;
}

bool yes_or_no(const Call& call, std::string_view field, bool otherwise) {
    const auto text = call.query(field);
    if (!text) return otherwise;
    if (*text != "true" && *text != "false")
        throw base::invalid_field(std::string(field), "must be true or false");
    return *text == "true";
}

std::optional<std::int64_t> moment(const Call& call, std::string_view field, base::Time now) {
    const auto text = call.query(field);
    if (!text) return std::nullopt;
    const auto parsed = parse_since(*text, now);
    if (!parsed) {
        throw base::invalid_field(std::string(field),
                                  "must be a time like 2026-11-29T12:00:00Z, seconds since 1970, or how long "
                                  "ago like 90s, 10m, 2h or 7d");
    }
    return parsed;
}

class MonitoringRoutes {
  public:
    explicit MonitoringRoutes(const MonitoringServices& services) : s_(services) {}

    Task<http::Response> logs(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        // Whether it is there, and whose, comes before what is wrong with the query.
        co_await s_.workspaces.find(call.user().user, id);
        const auto format = call.query("format").value_or("json");
        if (format != "json" && format != "text") throw base::invalid_field("format", "must be json or text");
        const bool as_text = format == "text";
        services::LogQuery query;
        query.tail = whole_number(call, "tail", 1, services::kMostLines, query.tail);
        query.since_ns = moment(call, "since", s_.clock.now());
        const bool with_time = yes_or_no(call, "timestamps", !as_text);
        const auto page = co_await s_.logs.read(call.user().user, id, query);
        co_return as_text ? text_of(page, with_time) : json_of(page, with_time);
    }

    Task<http::Response> logs_stream(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        services::LogStart start;
        start.tail = static_cast<std::uint64_t>(whole_number(call, "tail", 0, services::LogFeed::kRingLines,
                                                             static_cast<std::int64_t>(start.tail)));
        start.since_ns = moment(call, "since", s_.clock.now());
        const auto last = call.request.headers.get("Last-Event-ID").value_or("");
        if (!last.empty()) start.after = services::line_id_from(last);
        if (!last.empty() && !start.after) {
            throw base::invalid_field(
                "Last-Event-ID", "must be the id of an event of this stream; leave it out to begin anew");
        }
        auto watch = co_await s_.monitoring.watch_log(call.user().user, id, std::move(start));
        co_return event_stream([watch] { return watch->next(); });
    }

    Task<http::Response> container_stats(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_return ok(to_json(co_await s_.usage.now(call.user().user, id)));
    }

    Task<http::Response> container_stats_stream(Call& call) {
        auto watch = co_await s_.monitoring.watch_usage(call.user().user, call.id<WorkspaceId>("id"));
        co_return event_stream([watch] { return watch->next(); });
    }

    // From what the server knows already, the engine's look apart: nothing is asked of the application.
    Task<http::Response> health(Call& call) {
        const auto report =
            co_await s_.containers.workspace_status(call.user().user, call.id<WorkspaceId>("id"));
        const auto check = [](std::string_view name, bool passed, std::string_view passes,
                              std::string_view fails) {
            return json::object{{"name", name}, {"passed", passed}, {"message", passed ? passes : fails}};
        };
        const bool known = report.health != "unknown";
        json::array checks;
        checks.push_back(
            check("engine", known, "The container engine answers.",
                  "The container engine does not answer: nothing certain is known of the workspace."));
        checks.push_back(check("container", report.container_running, "The container runs.",
                               "No container of the workspace runs."));
        checks.push_back(check(
            "application", report.answers && known, "The application has answered since it was started.",
            report.workspace.unhealthy_since ? "The application does not answer any more."
                                             : "The application has not answered since it was started."));
        if (report.instance && report.instance->health != model::InstanceHealth::kNone) {
            checks.push_back(check("image", report.instance->health == model::InstanceHealth::kHealthy,
                                   "The health check of its image passes.",
                                   report.instance->health == model::InstanceHealth::kStarting
                                       ? "The health check of its image has not passed yet."
                                       : "The health check of its image fails."));
        }
        json::object data{{"status", report.health},
                          {"workspaceId", report.workspace.id.view()},
                          {"phase", model::to_text(report.phase)},
                          {"containerRunning", report.container_running},
                          {"checks", std::move(checks)},
                          {"lastError", nullptr},
                          {"timestamp", base::format_time(s_.clock.now())}};
        if (report.workspace.last_error) data["lastError"] = *report.workspace.last_error;
        data["unhealthySince"] = nullptr;
        if (report.workspace.unhealthy_since)
            data["unhealthySince"] = base::format_time(*report.workspace.unhealthy_since);
        data["restarts"] = report.workspace.restarts;
        data["recentCrashes"] = report.recent_crashes;
        data["lastExit"] = last_exit(report.last_crash);
        co_return ok(std::move(data));
    }

  private:
    static http::Response json_of(const services::LogPage& page, bool with_time) {
        json::array lines;
        lines.reserve(page.lines.size());
        for (const auto& line : page.lines)
            lines.push_back(to_json(line, with_time));
        return ok(std::move(lines), !page.has_instance ? kNoContainer : page.left_out ? kLeftOut : "");
    }
    static http::Response text_of(const services::LogPage& page, bool with_time) {
        http::Response response;
        response.headers.set("Content-Type", "text/plain; charset=utf-8");
        response.headers.set("Cache-Control", "no-store");
        response.headers.set("X-Content-Type-Options", "nosniff");
        for (const auto& line : page.lines)
            append_text(response.body, line, with_time);
        return response;
    }

    MonitoringServices s_;
};

}  // namespace

void add_monitoring_routes(Router& router, const MonitoringServices& services) {
    auto routes = std::make_shared<MonitoringRoutes>(services);
    const auto add = [&](std::string path, Task<http::Response> (MonitoringRoutes::*handler)(Call&)) {
        router.add("GET", "/api/workspaces/:id" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("/logs", &MonitoringRoutes::logs);
    add("/logs/stream", &MonitoringRoutes::logs_stream);
    add("/container-stats", &MonitoringRoutes::container_stats);
    add("/container-stats/stream", &MonitoringRoutes::container_stats_stream);
    add("/health", &MonitoringRoutes::health);
}

}  // namespace agentdb9::api
