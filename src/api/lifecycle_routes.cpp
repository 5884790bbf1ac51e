#include "api/lifecycle_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::ProjectId;
using base::WorkspaceId;
using services::RequestOptions;
using services::WorkspaceContainerService;

constexpr std::string_view kTicketParameter = "agentdb9_ticket";

class LifecycleRoutes {
  public:
    explicit LifecycleRoutes(const LifecycleServices& services) : s_(services) {}

    using Act = Task<services::Requested> (WorkspaceContainerService::*)(base::UserId, WorkspaceId,
                                                                         RequestOptions);
    Task<http::Response> act(Call& call, Act action, std::string message) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body(call.request).finish();
        const auto done = co_await (s_.containers.*action)(call.user().user, id, request_options(call));
        co_return respond(s_.containers, done, message);
    }

    Task<http::Response> switch_project(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body body(call.request);
        const auto project = body.required_id<ProjectId>("projectId");
        body.finish();
        co_await call.require_project_in_scope(project);
        const auto done = co_await s_.containers.switch_project_volume(call.user().user, id, project,
                                                                       request_options(call));
        co_return respond(s_.containers, done, "Project switched successfully");
    }

    Task<http::Response> status(Call& call) {
        const auto report =
            co_await s_.containers.workspace_status(call.user().user, call.id<WorkspaceId>("id"));
        json::object data{{"status", model::to_text(report.workspace.status)},
                          {"phase", model::to_text(report.phase)},
                          {"containerRunning", report.container_running},
                          {"containerInfo", nullptr},
                          {"health", report.health},
                          {"operation", nullptr}};
        if (report.instance) data["containerInfo"] = to_json(*report.instance);
        data["recentCrashes"] = report.recent_crashes;
        data["lastExit"] = last_exit(report.last_crash);
        if (report.operation) data["operation"] = to_json(*report.operation);
        co_return ok(std::move(data));
    }

    Task<http::Response> operations(Call& call) {
        const auto page =
            co_await s_.workspaces.operations(call.user().user, call.id<WorkspaceId>("id"), call.page());
        json::array rows;
        for (const auto& row : page.rows)
            rows.push_back(to_json(s_.containers.with_progress(row)));
        co_return listing(std::move(rows), page.next);
    }

    Task<http::Response> proxy_ticket(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        const auto workspace = co_await s_.shares.find_openable(call.user().user, id);
        Body body(call.request);
        const auto port = body.optional_integer("port", 1, 65535);
        body.finish();
        const auto* type = s_.catalogue.find(workspace.type);
        if (!port && type == nullptr) {
            throw base::conflict("workspace_type_unknown",
                                 "The workspace type '" + workspace.type +
                                     "' is not configured on this server; name a port, or ask its operator.");
        }
        const int wanted = port ? static_cast<int>(*port) : type->default_port;
        if (!co_await s_.shares.may_open(call.user().user, id, wanted)) throw base::not_found("workspace");
        const auto ticket = co_await s_.tickets.issue(call.user(), id, wanted);
        const auto url = application_url(s_.applications(), call.request, id, wanted) + "?" +
                         std::string(kTicketParameter) + "=" + ticket.text;
        co_return created(json::object{{"url", url}, {"expiresAt", base::format_time(ticket.expires_at)}});
    }

  private:
    LifecycleServices s_;
};

}  // namespace

RequestOptions request_options(const Call& call) {
    RequestOptions options;
    options.by = call.actor();
    options.respond_async = http::list_has(call.request.headers.get("Prefer").value_or(""), "respond-async");
    if (const auto force = call.query("force")) {
        if (*force != "true" && *force != "false")
            throw base::invalid_field("force", "must be true or false");
        options.force = *force == "true";
    }
    return options;
}

http::Response respond(const WorkspaceContainerService& containers, const services::Requested& requested,
                       std::string_view message) {
    if (!requested.finished)
        return accepted(to_json(requested.operation), "The operation goes on; ask for it under operations");
    if (!requested.workspace) return ok(nullptr, message);
    return ok(to_json(*requested.workspace, containers.live_phase(*requested.workspace)), message);
}

void add_lifecycle_routes(Router& router, const LifecycleServices& services) {
    auto routes = std::make_shared<LifecycleRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (LifecycleRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/workspaces/:id" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    const auto add_act = [&](std::string method, std::string path, LifecycleRoutes::Act action,
                             std::string message) {
        router.add(std::move(method), "/api/workspaces/:id" + std::move(path), Access::kUser,
                   [routes, action, message](Call& call) { return routes->act(call, action, message); });
    };
    add_act("POST", "/start", &WorkspaceContainerService::start_workspace, "Workspace started");
    add_act("POST", "/stop", &WorkspaceContainerService::stop_workspace, "Workspace stopped");
    add_act("POST", "/restart", &WorkspaceContainerService::restart_workspace, "Workspace restarted");
    add_act("DELETE", "", &WorkspaceContainerService::delete_workspace, "Workspace deleted");
    add("POST", "/switch-project", &LifecycleRoutes::switch_project);
    add("GET", "/status", &LifecycleRoutes::status);
    add("GET", "/operations", &LifecycleRoutes::operations);
    add("POST", "/proxy-ticket", &LifecycleRoutes::proxy_ticket);
}

}  // namespace agentdb9::api
