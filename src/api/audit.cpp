#include "api/audit.hpp"

#include <algorithm>
#include <array>

#include "api/call.hpp"
#include "base/json.hpp"

namespace agentdb9::api {

namespace {

constexpr std::size_t kLongestText = 300;

// A session that is renewed, and a workspace that is kept on, are not news.
constexpr std::array<std::string_view, 2> kEveryday{"/api/auth/refresh", "/api/workspaces/:id/keep-alive"};

constexpr int kRefusedTry = 401;

// What is done in one is its user's, but that there was one is told.
constexpr std::string_view kTerminal = "/api/workspaces/:id/terminal";

std::string cut(std::string_view text) {
    auto length = std::min(text.size(), kLongestText);
    // Never half a character.
    while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
        --length;
    std::string kept(text.substr(0, length));
    // Whoever is not known may claim to be anything: no database and no terminal is to stumble over it.
    std::ranges::replace_if(
        kept, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    return kept;
}

// However it was written: escaped, or an id in capitals. Searches are for what is shown elsewhere.
std::string target_of(std::string_view path) {
    std::string target;
    while (!path.empty()) {
        const auto end = std::min(path.find('/', 1), path.size());
        const auto written = path.substr(1, end - 1);
        const auto segment = percent_decode(written).value_or(std::string(written));
        const auto id = base::WorkspaceId::parse(segment);
        target += "/" + (id ? id->str() : segment);
        path.remove_prefix(end);
    }
    return target;
}

std::string text_in(const std::string& body, std::string_view name) {
    boost::system::error_code ec;
    const auto parsed = json::parse(body, ec);
    if (ec || !parsed.is_object()) return {};
    const auto* value = parsed.get_object().if_contains(name);
    return value != nullptr && value->is_string() ? cut(value->get_string()) : std::string();
}

}  // namespace

std::optional<model::AuditEntry> audit_entry(const Api::Answered& answered, bool operators) {
    const auto& [request, endpoint, principal, response] = answered;
    const bool looks = endpoint.method == "GET" && endpoint.pattern != kTerminal;
    if (looks || std::ranges::find(kEveryday, endpoint.pattern) != kEveryday.end()) return std::nullopt;
    model::AuditEntry entry{.id = model::AuditId::generate()};
    if (principal) {
        entry.user_id = principal->user;
        entry.who = principal->email;
        if (principal->api_token) {
            entry.credential = "token:" + principal->api_token->str();
        } else if (principal->session) {
            entry.credential = "session:" + principal->session->str();
        }
    } else if (!response.caller.user.empty()) {
        // By a ticket, which says no address.
        entry.user_id = base::UserId::parse(response.caller.user);
        if (!response.caller.session.empty()) entry.credential = "session:" + response.caller.session;
        if (!response.caller.api_token.empty()) entry.credential = "token:" + response.caller.api_token;
    } else if (operators) {
        entry.who = "operator";
    } else {
        // Of strangers only tries to sign in that the limit on them let through: what anybody could send
        // without end must not fill the database.
        if (endpoint.access != Access::kPublic || (response.status >= 400 && response.status != kRefusedTry))
            return std::nullopt;
        entry.who = text_in(request.body, "email");
        if (entry.who.empty()) return std::nullopt;
    }
    entry.address = cut(request.peer);
    entry.action = endpoint.method + " " + endpoint.pattern;
    entry.target = cut(target_of(request.path()));
    entry.status = response.status;
    if (response.status >= 400) entry.code = text_in(response.body, "code");
    entry.request_id = cut(request.id);
    return entry;
}

}  // namespace agentdb9::api
