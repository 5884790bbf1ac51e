// GET / and the files that the page is made of: the program carries them, so that it needs nothing beside
// itself.
#pragma once

#include "api/router.hpp"

namespace agentdb9::api {

void add_page_routes(Router& router);

}  // namespace agentdb9::api
