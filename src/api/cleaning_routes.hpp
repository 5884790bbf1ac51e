// Putting away: POST /api/workspaces/cleanup, GET /api/admin/cleaning, and the operator's same two.
#pragma once

#include "api/router.hpp"
#include "services/cleaning_service.hpp"

namespace agentdb9::api {

// All outlive the router.
void add_cleaning_routes(Router& router, services::CleaningService& cleaning,
                         services::DockerVolumeService& volumes);
void add_operator_cleaning_routes(Router& router, services::CleaningService& cleaning,
                                  services::DockerVolumeService& volumes);

}  // namespace agentdb9::api
