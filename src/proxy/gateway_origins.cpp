// The gateway's steps where each application has an origin: its host name, its links, and those who may use
// it beside its owner.
#include <algorithm>

#include "http/message.hpp"
#include "model/application_host.hpp"
#include "proxy/gateway.hpp"
#include "proxy/refusals.hpp"
#include "proxy/relay_headers.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

// For those who are nobody here: no user's id, and no owner's.
const PrincipalPtr& nobody() {
    static const PrincipalPtr principal =
        std::make_shared<const auth::Principal>(auth::Principal{.user = base::UserId::generate(),
                                                                .email = {},
                                                                .username = {},
                                                                .role = model::Role::kUser,
                                                                .session = {},
                                                                .api_token = {},
                                                                .scope = {},
                                                                .expires_at = base::Time::max()});
    return principal;
}

bool is_domain_itself(std::string_view host, std::string_view domain) {
    auto name = model::host_name_of(host);
    if (name.ends_with('.')) name.pop_back();
    return name == domain;
}

std::string names_below(const std::string& domain) {
    return "Applications have host names like {port}--{workspaceId}." + domain + ".";
}

}  // namespace

bool ToApplication::is_shared(const model::RouteTable& table, base::Time now) const {
    return route && model::sharing_for(table.sharings_of(route->workspace), port, *visitor, now) != nullptr;
}

std::expected<std::optional<Gateway::Place>, Decision> Gateway::place_by_name(const http::RequestHead& head,
                                                                              const Client& client) const {
    const auto& domain = worker_.options().apps_domain;
    if (domain.empty() || client.origin == Origin::kOperator) return std::nullopt;
    auto name = model::parse_application_host(head.host, domain);
    if (client.origin == Origin::kApi) {
        const bool elsewhere = !name && name.error() == model::HostFault::kElsewhere;
        if (elsewhere && !is_domain_itself(head.host, domain)) return std::nullopt;
        // An application's page must not find the API, and its cookies, on its own origin; nor at the domain
        // itself, for which every application may set cookies.
        return std::unexpected(refusal(421, "misdirected_request",
                                       "This is the API's address, and the host name is the applications': "
                                       "use the server's own name here (server.publicUrl), or send this to "
                                       "the applications' listener."));
    }
    if (!name && name.error() == model::HostFault::kElsewhere)
        return std::unexpected(elsewhere(head, client));
    if (!name || !head.path().starts_with('/'))
        return std::unexpected(refusal(404, "not_found", "Nothing is here. " + names_below(domain)));
    return Place{name->workspace, name->port};
}

// The shared origin's paths lead to the application's own; nothing is relayed there.
Decision Gateway::elsewhere(const http::RequestHead& head, const Client& client) const {
    const auto& options = worker_.options();
    auto door = find_door(Origin::kApplications, head.path(), {});
    auto place = door ? place_of(*door) : std::unexpected(Refusal{});
    bool opens = (head.method == "GET" || head.method == "HEAD") && head.upgrade.empty();
    if (!place || !place->port || !opens)
        return refusal(421, "misdirected_request",
                       "Nothing is relayed at this host name. " + names_below(options.apps_domain));
    auto port = model::port_suffix_of(options.apps_url.empty() ? head.host : options.apps_url);
    auto origin = client.scheme + "://" +
                  model::application_host(place->workspace, *place->port, options.apps_domain) +
                  std::string(port);
    return Redirect{
        307, with_query(origin + (door->rest.empty() ? "/" : std::string(door->rest)), head.query()), {}};
}

std::string Gateway::cookie_name(std::string_view name, const Client& client) const {
    bool host_only = !worker_.options().apps_domain.empty() && client.scheme == "https";
    return (host_only ? std::string(kHostOnly) : std::string()).append(name);
}

Redirect Gateway::opened(const http::RequestHead& head, const Client& client, std::string cookie,
                         std::string_view prefix, std::optional<base::Time> end) const {
    cookie.append("; Path=").append(prefix).append("/");
    if (end) {
        auto left = std::chrono::duration_cast<std::chrono::seconds>(*end - worker_.wall_clock()).count();
        cookie += "; Max-Age=" + std::to_string(std::max<std::int64_t>(left, 0));
    }
    cookie += "; HttpOnly; SameSite=Lax";
    if (client.scheme == "https") cookie += "; Secure";
    return {303, with_query(same_origin_path(head.path()), query_without_ticket(head.query())),
            std::move(cookie)};
}

Decision Gateway::redeem_link(const http::RequestHead& head, const Client& client, Place place) const {
    const auto& table = worker_.routes();
    if (!table) return not_ready();
    auto link = ticket_in(head.query(), kShareParameter);
    // Not what is open to others without it.
    for (const auto& sharing : table->sharings_of(place.workspace)) {
        if (sharing.share.level != model::ShareLevel::kLink) continue;
        std::span<const model::Sharing> only(&sharing, 1);
        if (!model::sharing_for(only, *place.port, {false, link}, worker_.wall_clock())) continue;
        return opened(head, client, cookie_name(kLinkCookie, client) + "=" + sharing.link, {},
                      sharing.share.expires_at);
    }
    return refusal(401, "share_invalid",
                   "This link has ended or is not whole. Ask whoever gave it to you for another one.");
}

// The server's page signs them in, and asks for a ticket if they want one. The same for workspaces that are
// not there: who is nobody hears nothing of them.
Decision Gateway::turn_away(const http::RequestHead& head, const Client& client, Place place,
                            Refusal refusal) const {
    const auto& page = worker_.options().public_url;
    bool navigation =
        head.method == "GET" && head.upgrade.empty() && head.get("Accept").value_or("").contains("text/html");
    // Whose link has ended has perhaps no account.
    bool by_link = !application_cookies(head, cookie_name(kLinkCookie, client)).empty();
    if (page.empty() || !navigation || by_link || refusal.problem.status != 401) return refusal;
    return Redirect{303, page + "/#open=" + place.workspace.str() + "/" + std::to_string(*place.port), {}};
}

bool Gateway::is_open_to_all(const Place& place) const {
    const auto& table = worker_.routes();
    return table && model::sharing_for(table->sharings_of(place.workspace), *place.port, {},
                                       worker_.wall_clock()) != nullptr;
}

Task<Gateway::CallerResult> Gateway::identify_visitor(const http::RequestHead& head, const Client& client,
                                                      Place place) {
    model::Visitor visitor;
    auto links = application_cookies(head, cookie_name(kLinkCookie, client));
    if (!links.empty()) visitor.link = links.front();

    auto caller = co_await identify(head, client);
    if (caller) {
        const auto& scope = caller->principal->scope;
        const auto refused = refuse_scope(*caller->principal, place.workspace);
        if (!refused && (!scope || (scope->workspace == place.workspace && scope->port == place.port))) {
            visitor.signed_in = true;
            caller->visitor = std::move(visitor);
            co_return caller;
        }
        caller = std::unexpected(
            refused ? *refused
                    : unauthenticated(
                          "This sign-in is for another application. Open this one from its workspace."));
    }

    // What is shared with everybody, or by a link, is open without a sign-in, and whatever became of one.
    auto deadline = worker_.loop().after(worker_.limits().hold);
    while (!worker_.routes()) {
        if (std::chrono::steady_clock::now() >= deadline || worker_.draining())
            co_return std::unexpected(not_ready());
        co_await worker_.next_routes(deadline);
    }
    if (model::sharing_for(worker_.routes()->sharings_of(place.workspace), *place.port, visitor,
                           worker_.wall_clock()))
        co_return Caller{nobody(), worker_.tokens().epoch(), true, std::move(visitor)};
    co_return caller;
}

}  // namespace agentdb9::proxy
