#include "api/share_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

using base::ShareId;
using base::WorkspaceId;
using model::ShareLevel;

constexpr std::string_view kShareParameter = "agentdb9_share";

class ShareRoutes {
  public:
    explicit ShareRoutes(const ShareServices& services) : s_(services) {}

    Task<http::Response> create(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body body(call.request);
        services::NewShare wanted;
        if (const auto port = body.optional_integer("port", 1, 65535)) wanted.port = static_cast<int>(*port);
        const auto level = body.required_text("level", 1, 100);
        if (const auto known = model::enum_from_text<ShareLevel>(level)) {
            wanted.level = *known;
        } else if (level == "owner") {
            body.problem("level", "is the owner's alone where nothing is shared: delete the port's shares");
        } else if (!level.empty()) {
            body.problem("level", "must be users, public or link");
        }
        wanted.expires_at = body.optional_time("expiresAt");
        body.finish();
        const auto share = co_await s_.shares.create(call.user().user, id, wanted);
        co_return created(to_json(call, share), "Port shared");
    }

    Task<http::Response> list(Call& call) {
        const auto shares = co_await s_.shares.list(call.user().user, call.id<WorkspaceId>("id"));
        json::array rows;
        for (const auto& share : shares)
            rows.push_back(to_json(call, share));
        co_return listing(std::move(rows), std::nullopt);
    }

    Task<http::Response> remove(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        const auto share = call.id<ShareId>("shareId");
        Body(call.request).finish();
        co_await s_.shares.remove(call.user().user, id, share);
        co_return ok(nullptr, "Share ended");
    }

  private:
    json::object to_json(const Call& call, const model::Share& share) const {
        json::object object{{"id", share.id.view()}, {"workspaceId", share.workspace_id.view()},
                            {"port", share.port},    {"level", model::to_text(share.level)},
                            {"url", nullptr},        {"createdAt", base::format_time(share.created_at)},
                            {"expiresAt", nullptr}};
        if (share.expires_at) object["expiresAt"] = base::format_time(*share.expires_at);
        const auto origin = s_.applications();
        // Made when there was one, and in force again when there will be.
        if (origin.domain.empty()) return object;
        auto url = application_url(origin, call.request, share.workspace_id, share.port);
        if (share.level == ShareLevel::kLink)
            url.append("?").append(kShareParameter).append("=").append(s_.shares.link_of(share.id));
        object["url"] = std::move(url);
        return object;
    }

    ShareServices s_;
};

}  // namespace

void add_share_routes(Router& router, const ShareServices& services) {
    auto routes = std::make_shared<ShareRoutes>(services);
    const auto add = [&](std::string method, std::string path,
                         Task<http::Response> (ShareRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/workspaces/:id/shares" + std::move(path), Access::kUser,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("POST", "", &ShareRoutes::create);
    add("GET", "", &ShareRoutes::list);
    add("DELETE", "/:shareId", &ShareRoutes::remove);
}

}  // namespace agentdb9::api
