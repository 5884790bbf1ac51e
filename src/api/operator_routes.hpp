// /operator/…: what the operator's commands ask for. Reached only by the socket in the data directory, whose
// mode is the authentication, or in the command's own process: none of it asks who calls.
//
//   GET  /operator/status                        the running server, for `agentdb9 doctor`
//   GET  /operator/users, POST                   {email, username?, role?, password?}
//   GET  /operator/users/:who                    an id or an email address
//   POST /operator/users/:who/role               {role}
//   POST /operator/users/:who/disable, /enable
//   POST /operator/users/:who/reset-password     {password?}
//   GET  /operator/volumes                       the trash; with ?all=true also what is in use
//   GET  /operator/volumes/:id, DELETE           the id of a tombstone, or the name of a volume
//   POST /operator/volumes/:id/restore
//   POST /operator/volumes/cleanup, /resume      ?dryRun=true
//   POST /operator/adopt                         what an earlier installation made; ?dryRun=true
#pragma once

#include "api/trash_routes.hpp"
#include "services/adoption.hpp"
#include "services/user_administration.hpp"

namespace agentdb9::api {

// All outlive the router.
struct OperatorServices {
    services::UserAdministration& users;
    TrashServices trash;
    store::Store& store;
    runtime::Runtime& runtime;
    services::AdoptionService& adoption;
    std::function<json::object()> status;
};

void add_operator_routes(Router& router, const OperatorServices& services);

}  // namespace agentdb9::api
