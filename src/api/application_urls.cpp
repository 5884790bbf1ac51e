#include "api/application_urls.hpp"

#include <algorithm>

#include "model/application_host.hpp"

namespace agentdb9::api {
namespace {

// "host" of "host:port", "[::1]" of "[::1]:port".
std::string_view without_port(std::string_view host) {
    return host.substr(0, host.size() - model::port_suffix_of(host).size());
}

bool secure_of(const ApplicationsOrigin& origin, const http::Request& request) {
    return origin.url.empty() ? origin.secure || request.secure : origin.url.starts_with("https://");
}

// RFC 9112 allows more in a Host than a policy's source may hold.
bool is_plain_host(std::string_view host) {
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
               c == '-' || c == ':' || c == '[' || c == ']';
    });
}

}  // namespace

std::string application_url(const ApplicationsOrigin& origin, const http::Request& request,
                            const base::WorkspaceId& workspace, int port) {
    const std::string scheme = secure_of(origin, request) ? "https://" : "http://";
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

std::string applications_source(const ApplicationsOrigin& origin, const http::Request& request) {
    const std::string scheme = secure_of(origin, request) ? "https://" : "http://";
    const auto listener = ":" + std::to_string(origin.port);
    if (!origin.domain.empty()) {
        const auto where = origin.url.empty() ? listener : std::string(model::port_suffix_of(origin.url));
        return scheme + "*." + origin.domain + where;
    }
    if (!origin.url.empty()) return origin.url;
    const auto host = without_port(request.headers.get("Host").value_or("127.0.0.1"));
    return is_plain_host(host) ? scheme + std::string(host) + listener : std::string();
}

}  // namespace agentdb9::api
