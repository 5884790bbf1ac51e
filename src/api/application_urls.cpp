#include "api/application_urls.hpp"

#include "model/application_host.hpp"

namespace agentdb9::api {
namespace {

// "host" of "host:port", "[::1]" of "[::1]:port".
std::string_view without_port(std::string_view host) {
    return host.substr(0, host.size() - model::port_suffix_of(host).size());
}

}  // namespace

std::string application_url(const ApplicationsOrigin& origin, const http::Request& request,
                            const base::WorkspaceId& workspace, int port) {
    const bool secure =
        origin.url.empty() ? origin.secure || request.secure : origin.url.starts_with("https://");
    const std::string scheme = secure ? "https://" : "http://";
    const auto listener = ":" + std::to_string(origin.port);
    if (!origin.domain.empty()) {
        const auto where = origin.url.empty() ? listener : std::string(model::port_suffix_of(origin.url));
        return scheme + model::application_host(workspace, port, origin.domain) + where + "/";
    }
    const auto shared =
        origin.url.empty()
            ? scheme + std::string(without_port(request.headers.get("Host").value_or("127.0.0.1"))) + listener
            : origin.url;
    return shared + "/" + workspace.str() + "/" + std::to_string(port) + "/";
}

}  // namespace agentdb9::api
