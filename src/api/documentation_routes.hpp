// What the API says of itself: /api/openapi.json (openapi.json beside this file, as it is) and /api/docs, a
// page made from it. A test holds the document against the router, and the integration tests hold every
// answer of the server against the document.
#pragma once

#include <string_view>

#include "api/router.hpp"

namespace agentdb9::api {

// The OpenAPI 3.1 document. Lives as long as the program.
std::string_view openapi_document();

void add_documentation_routes(Router& router);

}  // namespace agentdb9::api
