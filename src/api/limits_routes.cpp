#include "api/limits_routes.hpp"

#include <algorithm>

#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

class LimitsRoutes {
  public:
    explicit LimitsRoutes(const LimitsServices& services) : s_(services) {}

    Task<http::Response> show(Call& call) {
        const auto workspace =
            co_await s_.workspaces.find(call.user().user, call.id<base::WorkspaceId>("id"));
        const auto* type = s_.catalogue.find(workspace.type);
        if (type == nullptr) {
            throw base::conflict("workspace_type_unknown",
                                 "The workspace type '" + workspace.type +
                                     "' is not configured on this server; ask its operator to add it.");
        }
        const auto pending = s_.limits.pending(workspace);
        co_return ok(json::object{
            {"resourceLimits",
             workspace.limits.empty() ? json::value(nullptr) : model::to_json(workspace.limits)},
            {"inForce", model::to_json(s_.limits.in_force(workspace).value_or(type->resource_limits))},
            {"typeLimits", model::to_json(type->resource_limits)},
            {"maximumLimits", model::to_json(model::most_of(type->resource_limits, type->maximum_limits))},
            {"pending", json::value_from(pending.fields)},
            {"problem", pending.problem.empty() ? json::value(nullptr) : json::value(pending.problem)}});
    }

  private:
    LimitsServices s_;
};

}  // namespace

json::object applies_at(const model::ResourceLimits& before, const model::ResourceLimits& now, bool running,
                        const services::LimitsService::Pending& pending) {
    json::object fields;
    for (const auto& field : model::differences(before, now)) {
        const bool waits = !running || std::ranges::find(pending.fields, field) != pending.fields.end();
        fields[field] = waits ? "next_start" : "now";
    }
    return fields;
}

void add_limits_routes(Router& router, const LimitsServices& services) {
    auto routes = std::make_shared<LimitsRoutes>(services);
    router.add("GET", "/api/workspaces/:id/limits", Access::kUser,
               [routes](Call& call) { return routes->show(call); });
}

}  // namespace agentdb9::api
