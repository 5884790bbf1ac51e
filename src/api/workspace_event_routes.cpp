#include "api/workspace_event_routes.hpp"

#include "api/event_stream.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;

struct Text {
    const services::WorkspaceContainerService& containers;

    std::string operator()(const model::Workspace& workspace) const {
        return event_text("workspace", to_json(workspace, containers.live_phase(workspace)));
    }
    std::string operator()(const model::Operation& operation) const {
        return event_text("operation", to_json(containers.with_progress(operation)));
    }
    std::string operator()(const model::LifeEvent& event) const {
        return event_text("history", to_json(event));
    }
    std::string operator()(const services::WorkspacesThere& there) const {
        json::array ids;
        for (const auto& id : there.ids)
            ids.emplace_back(id.view());
        return event_text("snapshot", json::object{{"workspaceIds", std::move(ids)}});
    }
    std::string operator()(const services::WorkspaceGone& gone) const {
        return event_text("deleted", json::object{{"id", gone.id.view()}});
    }
};

}  // namespace

std::string workspace_event_text(const services::WorkspaceEvent& event,
                                 const services::WorkspaceContainerService& containers) {
    return std::visit(Text{containers}, event);
}

void add_workspace_event_routes(Router& router, const WorkspaceEventServices& services) {
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
