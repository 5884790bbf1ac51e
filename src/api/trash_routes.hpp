// /api/trash: the volumes of deleted projects and workspaces, until their time is over.
#pragma once

#include "api/router.hpp"
#include "services/docker_volume_service.hpp"
#include "services/route_book.hpp"

namespace agentdb9::api {

// All outlive the router.
struct TrashServices {
    services::DockerVolumeService& volumes;
    services::RouteBook& routes;  // a workspace that comes back is known to the proxy at once
    const base::Clock& clock;
};

void add_trash_routes(Router& router, const TrashServices& services);

// Shared with the operator's calls. `user`: absent for the operator, who may reach everyone's.
Task<http::Response> list_trash(TrashServices services, std::optional<base::UserId> user);
Task<http::Response> restore_from_trash(TrashServices services, std::optional<base::UserId> user,
                                        base::TombstoneId id);
Task<http::Response> purge_from_trash(TrashServices services, std::optional<base::UserId> user,
                                      base::TombstoneId id);
// Removes what lies in the trash longer than its time; with `dry_run` only says what that would be.
Task<http::Response> clean_up_trash(TrashServices services, bool dry_run);
// `?dryRun=true|false`, false when absent.
bool is_dry_run(const Call& call);

}  // namespace agentdb9::api
