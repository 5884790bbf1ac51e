// The audit log for who may read it: admins by the API, the operator by their socket.
#pragma once

#include "api/router.hpp"
#include "services/audit_log.hpp"

namespace agentdb9::api {

// GET /api/admin/audit. `audit` outlives the router.
void add_audit_routes(Router& router, services::AuditLog& audit);
// GET /operator/audit.
void add_operator_audit_routes(Router& router, services::AuditLog& audit);

}  // namespace agentdb9::api
