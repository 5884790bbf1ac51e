#include "api/cookies.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace agentdb9::api {
namespace {

// The prefix keeps it from applications: the data plane never relays cookies that have it.
constexpr std::string_view kName = "agentdb9_refresh";

std::string attributes(const http::Request& request) {
    return std::string("; Path=/api/auth; HttpOnly; SameSite=Strict") + (request.secure ? "; Secure" : "");
}

}  // namespace

std::optional<std::string> refresh_cookie(const http::Request& request) {
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
                return std::string(pair.substr(equals + 1));
        }
    }
    return std::nullopt;
}

void set_refresh_cookie(http::Response& response, const http::Request& request, const std::string& token,
                        base::Time now, base::Time expires_at) {
    const auto life = std::chrono::duration_cast<std::chrono::seconds>(expires_at - now).count();
    response.headers.add("Set-Cookie", std::string(kName) + "=" + token +
                                           "; Max-Age=" + std::to_string(std::max<std::int64_t>(life, 0)) +
                                           attributes(request));
}

void clear_refresh_cookie(http::Response& response, const http::Request& request) {
    response.headers.add("Set-Cookie", std::string(kName) + "=; Max-Age=0" + attributes(request));
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
