#include "proxy/confinement.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/message.hpp"

namespace agentdb9::proxy {
namespace {

using http::iequals;

bool starts_with_no_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

// A browser resolves ".." in a path, also written as "%2e" and behind a backslash, and drops tabs first.
bool may_climb(std::string_view path) {
    if (path.find_first_of("\\\t") != path.npos || path.contains("..")) return true;
    for (auto at = path.find('%'); at != path.npos; at = path.find('%', at + 1))
        if (iequals(path.substr(at, 3), "%2e")) return true;
    return false;
}

// The name under which a browser sends the cookie back. One without a name goes out as its bare value, which
// may look like a named one.
std::string_view effective_name(std::string_view pair) {
    while (!pair.empty() && (pair.front() == '=' || pair.front() == ' ' || pair.front() == '\t'))
        pair.remove_prefix(1);
    return http::trim(pair.substr(0, pair.find('=')));
}

}  // namespace

bool is_our_cookie(std::string_view name) {
    for (std::string_view guard : {kHostOnly, std::string_view("__Secure-")})
        if (starts_with_no_case(name, guard)) name.remove_prefix(guard.size());
    return starts_with_no_case(name, kCookiePrefix);
}

std::string confined_path(std::string_view path, const Confinement& confinement) {
    if (path.starts_with('/') && !may_climb(path)) {
        bool inside = path.starts_with(confinement.prefix) &&
                      (path.size() == confinement.prefix.size() || path[confinement.prefix.size()] == '/');
        if (inside) return std::string(path);
        if (confinement.prefix_stripped) return confinement.prefix + std::string(path);
    }
    return confinement.prefix + "/";
}

std::optional<std::string> confined_cookie(std::string_view cookie, const Confinement& confinement) {
    auto end = cookie.find(';');
    auto pair = http::trim(cookie.substr(0, end));
    auto name = effective_name(pair);
    if (name.empty() || is_our_cookie(name)) return std::nullopt;
    // A browser takes a __Host- cookie only with Path=/, which is not the application's to have.
    bool own = confinement.own_origin;
    if (!own && starts_with_no_case(name, kHostOnly)) return std::nullopt;
    std::string result(pair);
    std::string path = own ? "" : confinement.prefix + "/";
    while (end != cookie.npos) {
        cookie.remove_prefix(end + 1);
        end = cookie.find(';');
        auto part = http::trim(cookie.substr(0, end));
        auto equals = part.find('=');
        auto attribute = http::trim(part.substr(0, equals));
        if (iequals(attribute, "Domain")) continue;
        if (iequals(attribute, "Path")) {
            // Of several the last one counts (RFC 6265 section 5.3).
            path = equals == part.npos ? "" : http::trim(part.substr(equals + 1));
            if (!own) path = confined_path(path, confinement);
            continue;
        }
        if (!part.empty()) result.append("; ").append(part);
    }
    // Without one it is the directory of the page (RFC 6265 section 5.1.4).
    return path.empty() ? result : result + "; Path=" + path;
}

bool is_kept_from_clients(std::string_view name, const Confinement& confinement) {
    constexpr std::array<std::string_view, 6> kDropped{
        "Clear-Site-Data", "Strict-Transport-Security",
        // Where else the origin can be reached, and to whom its failures, with their addresses, are told.
        "Alt-Svc", "NEL", "Report-To", "X-Request-Id"};
    if (std::ranges::any_of(kDropped, [&](std::string_view other) { return iequals(name, other); }))
        return true;
    // There Authorization is the server's own: no answer to the question would reach the application.
    return confinement.sandbox && iequals(name, "WWW-Authenticate");
}

}  // namespace agentdb9::proxy
