#include "cli/tls.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::cli {
namespace {

http::TlsContextPtr load_one(const std::string& certificate, const std::string& key) {
    auto loaded = http::TlsContext::load({certificate, key});
    if (!loaded)
        throw base::Error(base::ErrorCode::kInvalid, "tls_unusable",
                          "TLS cannot be set up. " + loaded.error());
    for (const auto& warning : (*loaded)->warnings())
        log::warning("certificate", {{"problem", warning}});
    return *loaded;
}

}  // namespace

bool has_api_tls(const config::ServerSettings& server) {
    return server.tls_certificate && server.tls_key;
}

bool has_applications_tls(const config::ServerSettings& server) {
    return has_api_tls(server) || (server.apps_tls_certificate && server.apps_tls_key);
}

ListenersTls load_tls(const config::ServerSettings& server) {
    ListenersTls tls;
    if (has_api_tls(server)) tls.api = tls.applications = load_one(*server.tls_certificate, *server.tls_key);
    if (server.apps_tls_certificate && server.apps_tls_key)
        tls.applications = load_one(*server.apps_tls_certificate, *server.apps_tls_key);
    return tls;
}

}  // namespace agentdb9::cli
