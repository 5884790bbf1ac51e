#include "api/trash_routes.hpp"

#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/views.hpp"

namespace agentdb9::api {

Task<http::Response> list_trash(TrashServices services, std::optional<base::UserId> user) {
    co_return ok(to_json_array(co_await services.volumes.trash(user)));
}

Task<http::Response> restore_from_trash(TrashServices services, std::optional<base::UserId> user,
                                        base::TombstoneId id) {
    const auto workspace = co_await services.volumes.restore(user, id);
    if (workspace) co_await services.routes.upsert(*workspace);
    co_return ok(nullptr, workspace ? "Workspace restored" : "Project restored");
}

Task<http::Response> purge_from_trash(TrashServices services, std::optional<base::UserId> user,
                                      base::TombstoneId id) {
    co_await services.volumes.purge(user, id);
    co_return ok(nullptr, "Volume removed for good");
}

Task<http::Response> clean_up_trash(TrashServices services, bool dry_run) {
    json::object data{{"dryRun", dry_run}};
    const auto paused = co_await services.volumes.purge_paused_because();
    data["pausedBecause"] = paused ? json::value(*paused) : json::value(nullptr);
    json::array names;
    if (dry_run) {
        for (const auto& tombstone : co_await services.volumes.overdue())
            names.emplace_back(tombstone.volume_name);
    } else {
        for (const auto& name : co_await services.volumes.cleanup_orphaned_volumes())
            names.emplace_back(name);
    }
    data["volumes"] = std::move(names);
    co_return ok(std::move(data),
                 paused ? "Purging is paused: 'agentdb9 volumes resume' ends that once an admin has checked "
                          "that this database is the right one"
                        : std::string_view());
}

bool is_dry_run(const Call& call) {
    const auto value = call.query("dryRun");
    if (!value) return false;
    if (*value != "true" && *value != "false") throw base::invalid_field("dryRun", "must be true or false");
    return *value == "true";
}

void add_trash_routes(Router& router, const TrashServices& services) {
    router.add("GET", "/api/trash", Access::kUser,
               [services](Call& call) { return list_trash(services, call.user().user); });
    router.add("POST", "/api/trash/:id/restore", Access::kUser,
               [services](Call& call) -> Task<http::Response> {
                   const auto id = call.id<base::TombstoneId>("id");
                   Body(call.request).finish();
                   co_return co_await restore_from_trash(services, call.user().user, id);
               });
    router.add("DELETE", "/api/trash/:id", Access::kUser, [services](Call& call) -> Task<http::Response> {
        const auto id = call.id<base::TombstoneId>("id");
        Body(call.request).finish();
        co_return co_await purge_from_trash(services, call.user().user, id);
    });
}

}  // namespace agentdb9::api
