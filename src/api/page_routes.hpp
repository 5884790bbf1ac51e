// GET / and the files that the page is made of: the program carries them (web/, compressed by the build), so
// that it needs nothing beside itself. The page's own addresses, "/workspaces/…" say, answer the same
// document, to a browser that goes there and to nobody else.
#pragma once

#include <functional>

#include "api/application_urls.hpp"
#include "api/router.hpp"

namespace agentdb9::api {

struct PageServices {
    bool registration_open = false;
    std::function<ApplicationsOrigin()> applications;  // asked anew each time
};

void add_page_routes(Router& router, const PageServices& services);

}  // namespace agentdb9::api
