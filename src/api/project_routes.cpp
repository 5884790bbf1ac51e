#include "api/project_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/file_routes.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::ProjectId;
using services::ProjectFields;

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxDescription = 2000;
constexpr std::size_t kMaxText = 1000;
constexpr std::size_t kMaxAgentsBytes = 16 * 1024;

ProjectFields read_fields(Body& body, bool name_required) {
    ProjectFields fields;
    fields.name =
        name_required ? body.required_text("name", 1, kMaxName) : body.optional_text("name", 1, kMaxName);
    fields.description = body.optional_text("description", 0, kMaxDescription, TextKind::kText);
    fields.repository_url = body.optional_text("repositoryUrl", 0, kMaxText);
    fields.local_path = body.optional_text("localPath", 0, kMaxText);
    fields.framework = body.optional_text("framework", 0, kMaxName);
    fields.language = body.optional_text("language", 1, kMaxName);
    fields.status = body.optional_text("status", 1, 20);
    fields.agents = body.optional_array("agents", kMaxAgentsBytes);
    body.finish();
    return fields;
}

class ProjectRoutes {
  public:
    explicit ProjectRoutes(const ProjectServices& services) : s_(services) {}

    Task<http::Response> list(Call& call) {
        if (const auto own = call.own_workspace())
            co_return listing(
                to_json_array(co_await s_.associations.projects_in_reach(call.user().user, *own)), {});
        const auto page = co_await s_.projects.list(call.user().user, call.page());
        co_return listing(to_json_array(page.rows), page.next);
    }

    Task<http::Response> unassigned(Call& call) {
        const auto page = co_await s_.associations.unassigned_projects(call.user().user, call.page());
        co_return listing(to_json_array(page.rows), page.next);
    }

    Task<http::Response> create(Call& call) {
        Body body(call.request);
        auto fields = read_fields(body, true);
        co_return created(to_json(co_await s_.projects.create(call.user().user, std::move(fields))),
                          "Project created");
    }

    Task<http::Response> show(Call& call) {
        co_return ok(to_json(co_await s_.projects.find(call.user().user, call.id<ProjectId>("id"))));
    }

    Task<http::Response> update(Call& call) {
        const auto id = call.id<ProjectId>("id");
        // Whether it is there, and whose, comes before what is wrong with the body.
        co_await s_.projects.find(call.user().user, id);
        Body body(call.request);
        auto fields = read_fields(body, false);
        co_return ok(to_json(co_await s_.projects.update(call.user().user, id, std::move(fields))),
                     "Project updated");
    }

    Task<http::Response> remove(Call& call) {
        const auto id = call.id<ProjectId>("id");
        co_await s_.projects.find(call.user().user, id);
        Body(call.request).finish();
        co_return ok(to_json(co_await s_.projects.remove(call.user().user, id)),
                     "Project deleted successfully");
    }

    Task<http::Response> volume(Call& call) {
        const auto id = call.id<ProjectId>("id");
        const auto info = co_await s_.volumes.volume_info(call.user().user, id);
        const auto measure = call.query("measure").value_or("false");
        if (measure != "true" && measure != "false")
            throw base::invalid_field("measure", "must be true or false");
        json::object data{{"name", info.name},
                          {"path", info.path ? json::value(*info.path) : json::value(nullptr)},
                          {"exists", info.exists},
                          {"engineAnswers", info.engine_answers}};
        if (measure == "true") data["usage"] = to_json(co_await s_.files.measure(call.user().user, id));
        co_return ok(std::move(data));
    }

  private:
    ProjectServices s_;
};

}  // namespace

void add_project_routes(Router& router, const ProjectServices& services) {
    auto routes = std::make_shared<ProjectRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (ProjectRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/projects" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "", &ProjectRoutes::list);
    add("POST", "", &ProjectRoutes::create);
    add("GET", "/unassigned", &ProjectRoutes::unassigned);
    add("GET", "/:id", &ProjectRoutes::show);
    add("PUT", "/:id", &ProjectRoutes::update);
    add("DELETE", "/:id", &ProjectRoutes::remove);
    add("GET", "/:id/volume", &ProjectRoutes::volume);
}

}  // namespace agentdb9::api
