// /api/auth/sessions: where somebody is signed in.
#pragma once

#include "api/router.hpp"
#include "services/session_service.hpp"

namespace agentdb9::api {

// `sessions` outlives the router.
void add_session_routes(Router& router, services::SessionService& sessions);

}  // namespace agentdb9::api
