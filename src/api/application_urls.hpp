// Where browsers find an application. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.hpp"
#include "http/message.hpp"

namespace agentdb9::api {

// How browsers reach the applications' listener.
struct ApplicationsOrigin {
    bool secure = false;     // its listener speaks TLS
    std::string url;         // "https://apps.example"; empty: the request's own host with the port below
    std::uint16_t port = 0;  // of the applications' listener
    std::string domain;      // each application has a name below it; empty: they share an origin
};

// Absolute, with a slash at the end. Scheme and port are `origin.url`'s, else the request's and the
// listener's.
std::string application_url(const ApplicationsOrigin& origin, const http::Request& request,
                            const base::WorkspaceId& workspace, int port);

// Where all applications are, as a Content-Security-Policy names it: "https://*.apps.example:8443". Empty
// where the request's Host cannot be part of one.
std::string applications_source(const ApplicationsOrigin& origin, const http::Request& request);

}  // namespace agentdb9::api
