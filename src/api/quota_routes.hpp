// What users may have: their own at /api/workspaces/quota, anybody's for admins at /api/admin/users/:id/quota
// and for the operator at /operator/users/:who/quota.
#pragma once

#include "api/router.hpp"
#include "services/quota_service.hpp"
#include "services/user_administration.hpp"

namespace agentdb9::api {

// All outlive the router.
struct QuotaServices {
    services::QuotaService& quotas;
    services::UserAdministration& users;
};

void add_quota_routes(Router& router, const QuotaServices& services);
void add_operator_quota_routes(Router& router, const QuotaServices& services);

}  // namespace agentdb9::api
