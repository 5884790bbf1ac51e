#include "api/event_routes.hpp"

#include "api/event_stream.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;

struct Text {
    const services::WorkspaceContainerService& containers;
    const services::ProjectWork& work;

    std::string operator()(const model::Workspace& workspace) const {
        return event_text("workspace", to_json(workspace, containers.live_phase(workspace)));
    }
    std::string operator()(const model::Operation& operation) const {
        return event_text("operation", to_json(containers.with_progress(operation)));
    }
    std::string operator()(const model::LifeEvent& event) const {
        return event_text("history", to_json(event));
    }
    std::string operator()(const model::Project& project) const {
        return event_text("project", to_json(project));
    }
    std::string operator()(const model::ProjectOperation& operation) const {
        return event_text("project-operation", to_json(work.with_progress(operation)));
    }
    std::string operator()(const services::AllThere& there) const {
        json::object data{{"workspaceIds", ids(there.workspaces)}};
        if (there.projects) data["projectIds"] = ids(*there.projects);
        return event_text("snapshot", std::move(data));
    }
    std::string operator()(const services::WorkspaceGone& gone) const {
        return event_text("deleted", json::object{{"id", gone.id.view()}});
    }
    std::string operator()(const services::ProjectGone& gone) const {
        return event_text("project-deleted", json::object{{"id", gone.id.view()}});
    }

  private:
    template <class Ids>
    static json::array ids(const Ids& all) {
        json::array texts;
        for (const auto& id : all)
            texts.emplace_back(id.view());
        return texts;
    }
};

}  // namespace

std::string user_event_text(const services::UserEvent& event,
                            const services::WorkspaceContainerService& containers,
                            const services::ProjectWork& work) {
    return std::visit(Text{containers, work}, event);
}

void add_event_routes(Router& router, const EventServices& services) {
    router.add("GET", "/api/workspaces/events", Access::kUser,
               [services](Call& call) -> Task<http::Response> {
                   auto watch = services.events.watch(call.user().user, std::nullopt);
                   co_return event_stream([watch] { return watch->next(); });
               });
    router.add("GET", "/api/workspaces/:id/events", Access::kUser,
               [services](Call& call) -> Task<http::Response> {
                   const auto id = call.id<WorkspaceId>("id");
                   co_await services.workspaces.find(call.user().user, id);
                   auto watch = services.events.watch(call.user().user, id);
                   co_return event_stream([watch] { return watch->next(); });
               });
}

}  // namespace agentdb9::api
