// /api/auth: accounts, sessions and API tokens.
#pragma once

#include <string>

#include "api/router.hpp"
#include "services/accounts.hpp"
#include "services/api_tokens.hpp"

namespace agentdb9::api {

// The services outlive the router. `public_url`: how browsers reach this origin; empty: what Host says.
void add_auth_routes(Router& router, services::AccountService& accounts, services::ApiTokenService& tokens,
                     const base::Clock& clock, std::string public_url);

}  // namespace agentdb9::api
