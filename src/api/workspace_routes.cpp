#include "api/workspace_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/lifecycle_routes.hpp"
#include "api/limits_body.hpp"
#include "api/limits_routes.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::ProjectId;
using base::WorkspaceId;
using model::WorkspaceStatus;

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxDescription = 2000;
constexpr std::array kAllStatuses{WorkspaceStatus::kActive,   WorkspaceStatus::kInactive,
                                  WorkspaceStatus::kArchived, WorkspaceStatus::kRunning,
                                  WorkspaceStatus::kStopped,  WorkspaceStatus::kError};
static_assert(kAllStatuses.size() == model::kWorkspaceStatusCount);

class WorkspaceRoutes {
  public:
    explicit WorkspaceRoutes(const WorkspaceServices& services) : s_(services) {}

    Task<http::Response> types(Call&) {
        const auto available = co_await s_.availability.available();
        json::array rows;
        for (const auto& type : s_.catalogue.all())
            rows.push_back(to_json(type, available.contains(type.type)));
        co_return ok(std::move(rows));
    }

    Task<http::Response> list(Call& call) {
        if (const auto own = call.own_workspace()) co_return co_await list_of_one(call.user().user, *own);
        const auto page = co_await s_.workspaces.list(call.user().user, call.page());
        co_return listing(views(page.rows), page.next);
    }

    Task<http::Response> list_of_type(Call& call) {
        const auto rows =
            co_await s_.workspaces.list_of_type(call.user().user, std::string(call.parameter("type")));
        co_return ok(views(rows));
    }

    Task<http::Response> stats(Call& call) {
        const auto counts = co_await s_.workspaces.counts(call.user().user);
        json::object by_type;
        for (const auto& [type, count] : counts.by_type)
            by_type[type] = count;
        json::object by_status;
        for (const auto status : kAllStatuses)
            by_status[model::to_text(status)] = counts.by_status.at(static_cast<std::size_t>(status));
        co_return ok(json::object{
            {"total", counts.total},
            {"byType", std::move(by_type)},
            {"byStatus", std::move(by_status)},
            {"defaultWorkspace", counts.default_workspace ? json::value(view(*counts.default_workspace))
                                                          : json::value(nullptr)}});
    }

    Task<http::Response> create(Call& call) {
        Body body(call.request);
        services::NewWorkspace wanted;
        wanted.type = body.required_text("type", 1, 50);
        wanted.name = body.optional_text("name", 1, kMaxName);
        wanted.description = body.optional_text("description", 0, kMaxDescription, TextKind::kText);
        wanted.is_default = body.optional_bool("isDefault").value_or(false);
        wanted.project_id = body.optional_id<ProjectId>("projectId");
        wanted.wake_on_request = body.optional_bool("wakeOnRequest").value_or(false);
        wanted.by = call.actor();
        wanted.limits = read_limits(body).value_or(model::LimitsChange());
        body.finish();
        co_return created(view(co_await s_.workspaces.create(call.user().user, std::move(wanted))),
                          "Workspace created");
    }

    Task<http::Response> show(Call& call) {
        co_return ok(view(co_await s_.workspaces.find(call.user().user, call.id<WorkspaceId>("id"))));
    }

    Task<http::Response> update(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        // Whether it is there, and whose, comes before what is wrong with the body.
        const auto before = co_await s_.workspaces.find(call.user().user, id);
        Body body(call.request);
        services::WorkspaceChange change;
        change.by = call.actor();
        change.name = body.optional_text("name", 1, kMaxName);
        change.description = body.optional_text("description", 0, kMaxDescription, TextKind::kText);
        if (const auto is_default = body.optional_bool("isDefault")) {
            change.make_default = *is_default;
            if (!*is_default)
                body.problem("isDefault", "can only be true; make another workspace the default instead");
        }
        change.status = body.optional_enum<WorkspaceStatus>("status");
        const bool settable = !change.status || *change.status == WorkspaceStatus::kActive ||
                              *change.status == WorkspaceStatus::kInactive ||
                              *change.status == WorkspaceStatus::kArchived;
        if (!settable)
            body.problem("status", "must be active, inactive or archived; the others are the server's");
        change.wake_on_request = body.optional_bool("wakeOnRequest");
        // What the operator allows is told first of all: it says more than any number here would.
        if (const auto minutes = body.optional_integer("idleStopMinutes", 0, 525'600)) {
            s_.idle.check_minutes(static_cast<int>(*minutes));
            change.idle_stop_minutes = static_cast<int>(*minutes);
        } else if (body.is_null("idleStopMinutes")) {
            change.idle_stop_minutes = std::optional<int>();
        }
        if (const auto schedule = body.optional_object("schedule", 4096)) {
            std::string problem;
            change.schedule = model::read_schedule(*schedule, problem);
            if (!problem.empty()) body.problem("schedule", problem);
        } else if (body.is_null("schedule")) {
            change.schedule = std::optional<model::Schedule>();
        }
        const auto project = body.optional_id<ProjectId>("currentProjectId");
        change.limits = read_limits(body);
        body.finish();
        if (project) co_await call.require_project_in_scope(*project);
        // The switch first: it is the part that may be refused.
        std::optional<services::Requested> switched;
        if (project) {
            switched = co_await s_.containers.switch_project_volume(call.user().user, id, *project,
                                                                    request_options(call));
        }
        const bool limits = change.limits.has_value();
        auto workspace = co_await s_.workspaces.update(call.user().user, id, std::move(change));
        if (switched && !switched->finished) co_return respond(s_.containers, *switched, {});
        if (limits) co_return co_await with_limits(before, workspace);
        co_return ok(view(workspace), "Workspace updated");
    }

    Task<http::Response> set_default(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body(call.request).finish();
        co_return ok(view(co_await s_.workspaces.set_default(call.user().user, id, call.actor())),
                     "Workspace set as default");
    }

    Task<http::Response> projects(Call& call) {
        co_return ok(to_json_array(
            co_await s_.projects.projects_by_workspace(call.user().user, call.id<WorkspaceId>("id"))));
    }

    Task<http::Response> history(Call& call) {
        const auto page =
            co_await s_.workspaces.history(call.user().user, call.id<WorkspaceId>("id"), call.page());
        co_return listing(to_json_array(page.rows), page.next);
    }

    Task<http::Response> compatible_projects(Call& call) {
        co_return ok(to_json_array(
            co_await s_.projects.compatible_projects(call.user().user, call.id<WorkspaceId>("id"))));
    }

    Task<http::Response> project_stats(Call& call) {
        const auto counts =
            co_await s_.projects.workspace_stats(call.user().user, call.id<WorkspaceId>("id"));
        co_return ok(json::object{{"totalProjects", counts.total},
                                  {"assignedProjects", counts.assigned},
                                  {"currentProject", counts.current ? json::value(to_json(*counts.current))
                                                                    : json::value(nullptr)}});
    }

    Task<http::Response> assign(Call& call) {
        const auto [workspace, project] = co_await workspace_and_project(call);
        co_return ok(
            to_json(co_await s_.projects.assign_project_to_workspace(call.user().user, workspace, project)),
            "Project assigned to workspace");
    }

    Task<http::Response> unassign(Call& call) {
        const auto [workspace, project] = co_await workspace_and_project(call);
        co_return ok(to_json(co_await s_.projects.unassign_project_from_workspace(call.user().user, workspace,
                                                                                  project)),
                     "Project unassigned from workspace");
    }

  private:
    // For an API token that is for one workspace; that may be gone.
    Task<http::Response> list_of_one(base::UserId user, WorkspaceId id) {
        json::array rows;
        try {
            rows.push_back(view(co_await s_.workspaces.find(user, id)));
        } catch (const base::Error& error) {
            if (error.code() != base::ErrorCode::kNotFound) throw;
        }
        co_return listing(std::move(rows), {});
    }
    json::object view(const model::Workspace& workspace) const {
        return to_json(workspace, s_.containers.live_phase(workspace));
    }
    // What was set is in force as far as its instance can be given it while it runs.
    Task<http::Response> with_limits(model::Workspace before, model::Workspace workspace) {
        const auto pending = co_await s_.limits.apply(workspace);
        json::object body{{"success", true}, {"data", view(workspace)}, {"message", "Workspace updated"}};
        const auto was = s_.limits.in_force(before);
        const auto now = s_.limits.in_force(workspace);
        const bool running = workspace.desired_state == model::DesiredState::kRunning;
        body["appliesAt"] = was && now ? applies_at(*was, *now, running, pending) : json::object();
        if (!pending.problem.empty()) body["limitsProblem"] = pending.problem;
        co_return json_response(200, std::move(body));
    }
    json::array views(const std::vector<model::Workspace>& rows) const {
        json::array array;
        for (const auto& row : rows)
            array.push_back(view(row));
        return array;
    }

    Task<std::pair<WorkspaceId, ProjectId>> workspace_and_project(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body body(call.request);
        const auto project = body.required_id<ProjectId>("projectId");
        body.finish();
        co_return std::pair(id, project);
    }

    WorkspaceServices s_;
};

}  // namespace

void add_workspace_routes(Router& router, const WorkspaceServices& services) {
    auto routes = std::make_shared<WorkspaceRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (WorkspaceRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/workspaces" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/types", &WorkspaceRoutes::types);
    add("GET", "", &WorkspaceRoutes::list);
    add("POST", "", &WorkspaceRoutes::create);
    add("GET", "/stats", &WorkspaceRoutes::stats);
    add("GET", "/type/:type", &WorkspaceRoutes::list_of_type);
    add("GET", "/:id", &WorkspaceRoutes::show);
    add("PUT", "/:id", &WorkspaceRoutes::update);
    add("POST", "/:id/set-default", &WorkspaceRoutes::set_default);
    add("GET", "/:id/history", &WorkspaceRoutes::history);
    add("GET", "/:id/projects", &WorkspaceRoutes::projects);
    add("GET", "/:id/compatible-projects", &WorkspaceRoutes::compatible_projects);
    add("GET", "/:id/project-stats", &WorkspaceRoutes::project_stats);
    add("POST", "/:id/assign-project", &WorkspaceRoutes::assign);
    add("POST", "/:id/unassign-project", &WorkspaceRoutes::unassign);
}

}  // namespace agentdb9::api
