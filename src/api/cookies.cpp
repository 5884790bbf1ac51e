#include "api/cookies.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"
#include "model/application_host.hpp"

namespace agentdb9::api {
namespace {

// The prefix keeps it from applications: the data plane never relays cookies that have it.
constexpr std::string_view kName = "agentdb9_refresh";

std::string attributes(const http::Request& request) {
    return std::string("; Path=/api/auth; HttpOnly; SameSite=Strict") + (request.secure ? "; Secure" : "");
}

// The domains that a cookie of this host may have been set for (RFC 6265 section 5.1.3): the host's own name
// and those above it, less those that browsers refuse anyway. Addresses have none.
std::vector<std::string> domains_of(const http::Request& request) {
    // Deeper names than anybody has.
    constexpr std::size_t kMost = 8;
    std::vector<std::string> domains;
    const auto host = model::host_name_of(request.headers.get("Host").value_or(""));
    const auto last = host.substr(host.rfind('.') + 1);
    const bool is_address =
        host.starts_with('[') || std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
    if (is_address) return domains;
    for (std::string_view rest = host; rest.contains('.') && domains.size() < kMost;) {
        domains.emplace_back(rest);
        rest.remove_prefix(rest.find('.') + 1);
    }
    return domains;
}

}  // namespace

std::vector<std::string> refresh_cookies(const http::Request& request) {
    std::vector<std::string> values;
    for (const auto& field : request.headers) {
        if (!http::iequals(field.name, "Cookie")) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            auto pair = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
            while (pair.starts_with(' '))
                pair.remove_prefix(1);
            const auto equals = pair.find('=');
            if (equals != pair.npos && pair.substr(0, equals) == kName)
                values.emplace_back(pair.substr(equals + 1));
        }
    }
    return values;
}

void set_refresh_cookie(http::Response& response, const http::Request& request, const std::string& token,
                        base::Time now, base::Time expires_at) {
    const auto life = std::chrono::duration_cast<std::chrono::seconds>(expires_at - now).count();
    response.headers.add("Set-Cookie", std::string(kName) + "=" + token +
                                           "; Max-Age=" + std::to_string(std::max<std::int64_t>(life, 0)) +
                                           attributes(request));
}

void clear_refresh_cookies(http::Response& response, const http::Request& request) {
    // Of all that a request for /api/auth/refresh brings (RFC 6265 section 5.1.4). One with the attribute
    // Domain is another cookie than one without.
    constexpr std::array<std::string_view, 6> kPaths{
        "/api/auth", "/api/auth/refresh", "/api/auth/", "/api", "/api/", "/"};
    auto domains = domains_of(request);
    domains.emplace_back();
    for (const auto& domain : domains) {
        for (const auto path : kPaths) {
            std::string cookie(kName);
            cookie.append("=; Max-Age=0; Path=").append(path);
            if (!domain.empty()) cookie.append("; Domain=").append(domain);
            response.headers.add("Set-Cookie", cookie + (request.secure ? "; Secure" : ""));
        }
    }
}

void require_own_origin(const http::Request& request, const std::string& public_url) {
    const auto refuse = [] {
        throw base::Error(base::ErrorCode::kForbidden, "foreign_origin",
                          "The session cookie counts only for requests from this server's own page.");
    };
    if (const auto site = request.headers.get("Sec-Fetch-Site"); site && *site != "same-origin") refuse();
    const auto origin = request.headers.get("Origin");
    if (!origin) return;  // not a browser, or a same-origin request of an old one
    const auto own = std::string(request.secure ? "https://" : "http://") +
                     std::string(request.headers.get("Host").value_or(""));
    const bool known =
        http::iequals(*origin, own) || (!public_url.empty() && http::iequals(*origin, public_url));
    if (!known) refuse();
}

}  // namespace agentdb9::api
