#include "api/idle_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/views.hpp"
#include "services/schedule_service.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;
using model::IdleVerdict;

std::string sentence_of(std::string_view source) {
    if (source == model::kStartActivity) return "It was started.";
    if (source == model::kRequestActivity) return "Its application was asked for something.";
    if (source == model::kSocketActivity) return "Something came over a WebSocket that is open to it.";
    if (source == model::kProcessorActivity) return "It was busy: it used the processor.";
    if (source == model::kDiskActivity) return "It read or wrote much on its disks.";
    return "Something went on in it: " + std::string(source) + ".";
}

json::value time_or_null(const std::optional<base::Time>& time) {
    return time ? json::value(base::format_time(*time)) : json::value(nullptr);
}

json::object reason(std::string_view source, std::string message, const std::optional<base::Time>& until) {
    return {{"source", source}, {"message", std::move(message)}, {"until", time_or_null(until)}};
}

// Why it is on now.
json::array kept_on_by(const services::ActivityReport& report, base::Time now) {
    json::array reasons;
    if (report.workspace.desired_state != model::DesiredState::kRunning) return reasons;
    if (report.idle_time.count() == 0) {
        reasons.push_back(reason("setting", "It has no idle time: it stays on until somebody stops it.", {}));
        return reasons;
    }
    const auto& lease = report.workspace.keep_alive_until;
    if (lease && *lease > now)
        reasons.push_back(reason("keep-alive", "Somebody asked to keep it on.", lease));
    for (const auto& mark : report.marks) {
        const base::Time until = mark.at + report.idle_time;
        if (until > now) reasons.push_back(reason(mark.source, sentence_of(mark.source), until));
    }
    return reasons;
}

json::object to_json(const services::ActivityReport& report, base::Time now) {
    const auto& workspace = report.workspace;
    json::array sources;
    for (const auto& mark : report.marks)
        sources.push_back({{"source", mark.source},
                           {"at", base::format_time(mark.at)},
                           {"message", sentence_of(mark.source)}});
    json::object object{{"running", workspace.desired_state == model::DesiredState::kRunning},
                        {"idleStopMinutes", nullptr},
                        {"setBy", workspace.idle_stop_minutes ? "workspace" : "type"},
                        {"lastActivityAt", time_or_null(model::latest(report.marks))},
                        {"sources", std::move(sources)},
                        {"keptOnBy", kept_on_by(report, now)},
                        {"keepAliveUntil", nullptr},
                        {"warned", report.verdict.kind == IdleVerdict::Kind::kWarned},
                        {"willStopAt", time_or_null(report.verdict.stop_at)},
                        {"nextScheduledStart", nullptr},
                        {"nextScheduledStop", nullptr},
                        {"lastStop", nullptr}};
    if (const auto schedule = services::schedule_of(workspace)) {
        object["nextScheduledStart"] = time_or_null(model::next_change(*schedule, now, true));
        object["nextScheduledStop"] = time_or_null(model::next_change(*schedule, now, false));
    }
    if (report.idle_time.count() > 0)
        object["idleStopMinutes"] = static_cast<double>(report.idle_time.count()) / 60.0;
    if (workspace.keep_alive_until && *workspace.keep_alive_until > now)
        object["keepAliveUntil"] = base::format_time(*workspace.keep_alive_until);
    if (report.last_stop) object["lastStop"] = api::to_json(*report.last_stop);
    return object;
}

class IdleRoutes {
  public:
    explicit IdleRoutes(const IdleServices& services) : s_(services) {}

    Task<http::Response> activity(Call& call) {
        const auto report = co_await s_.idle.activity(call.user().user, call.id<WorkspaceId>("id"));
        co_return ok(to_json(report, s_.clock.now()));
    }

    Task<http::Response> keep_alive(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body body(call.request);
        const auto seconds =
            body.optional_integer("seconds", 0, s_.idle.options().longest_keep_alive.count());
        if (!seconds && !body.has("seconds")) body.problem("seconds", "is missing");
        body.finish();
        const auto workspace =
            co_await s_.idle.keep_alive(call.user().user, id, std::chrono::seconds(*seconds), call.actor());
        co_return ok(
            json::object{{"keepAliveUntil", time_or_null(workspace.keep_alive_until)}},
            workspace.keep_alive_until ? "Workspace kept alive" : "Workspace not kept alive any more");
    }

  private:
    IdleServices s_;
};

}  // namespace

void add_idle_routes(Router& router, const IdleServices& services) {
    auto routes = std::make_shared<IdleRoutes>(services);
    router.add("GET", "/api/workspaces/:id/activity", Access::kUser,
               [routes](Call& call) { return routes->activity(call); });
    router.add("POST", "/api/workspaces/:id/keep-alive", Access::kUser,
               [routes](Call& call) { return routes->keep_alive(call); });
}

}  // namespace agentdb9::api
