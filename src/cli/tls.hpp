// The certificates that the configuration names, read for the listeners. Blocks for two small files; any
// thread.
#pragma once

#include "config/configuration.hpp"
#include "http/tls.hpp"

namespace agentdb9::cli {

// Null where a listener speaks plain HTTP.
struct ListenersTls {
    http::TlsContextPtr api;
    http::TlsContextPtr applications;
};

bool has_api_tls(const config::ServerSettings& server);
bool has_applications_tls(const config::ServerSettings& server);
// Throws base::Error{kInvalid, "tls_unusable"} that says which file is wrong, and how. Logs warnings.
ListenersTls load_tls(const config::ServerSettings& server);

}  // namespace agentdb9::cli
