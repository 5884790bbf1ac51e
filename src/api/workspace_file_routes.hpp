// Files into and out of running workspaces: /api/workspaces/:id/files?path=, as tar streams.
#pragma once

#include "api/router.hpp"
#include "services/workspace_files.hpp"

namespace agentdb9::api {

// `files` outlives the router.
void add_workspace_file_routes(Router& router, services::WorkspaceFiles& files);

}  // namespace agentdb9::api
