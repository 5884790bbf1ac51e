#include "proxy/gateway.hpp"

#include "base/error.hpp"
#include "http/message.hpp"
#include "proxy/refusals.hpp"
#include "proxy/relay_headers.hpp"
#include "proxy/wake_rule.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

// A page that waits for a start is told of it soon; what only switches is mostly there before.
constexpr std::chrono::seconds kHoldBeforePage{1};

Refusal bad_field(std::string field, std::string problem) {
    auto error = base::invalid_field(std::move(field), std::move(problem));
    auto result = refusal(400, error.word(), error.message());
    result.problem.details = error.fields();
    return result;
}

Refusal unavailable(std::string message) {
    auto result = refusal(503, "unavailable", std::move(message));
    result.retry_after_seconds = 2;
    return result;
}

// What an Upgrade field asks for, as far as it is relayed: HTTP/2 would carry requests past every check here.
std::string upgrade_of(const http::RequestHead& head) {
    bool plain = head.framing.kind == http::Framing::Kind::kNone && head.minor_version > 0;
    if (!plain || head.upgrade.empty() || http::list_has(head.upgrade, "h2c")) return {};
    return std::string(head.upgrade);
}

// RFC 9110 section 9.2.1.
bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace

Refusal too_many_connections(LimitHit limit) {
    bool server = limit == LimitHit::kServerConnections;
    std::string message =
        server ? "The server has as many connections as it can serve. Try again in a moment."
        : limit == LimitHit::kUserConnections
            ? "You have as many open connections to applications as one user may have. Close some of them "
              "and try again."
            : "Your address has as many open connections as one may have. Close some of them and try again.";
    auto result = refusal(server ? 503 : 429, std::string(kTooManyConnections), std::move(message));
    result.retry_after_seconds = 2;
    return result;
}

Task<Decision> Gateway::decide(const http::RequestHead& head, const Client& client, bool moved) {
    // 1. The listener, the host name and the path say which part of the server is meant.
    auto named = place_by_name(head, client);
    if (!named) co_return named.error();
    auto place = *named;
    std::optional<Door> door;
    if (place)
        door = Door{.prefix = {}, .rest = head.path(), .workspace = {}, .port = {}, .own_origin = true};
    else
        door = find_door(client.origin, head.path(), worker_.options().rewrites);
    if (!door) {
        // The control plane has sockets of its own, which a page of another origin may not open either.
        if (client.origin == Origin::kApi && http::list_has(head.upgrade, "websocket"))
            if (auto refused = check_origin(head, client, false)) co_return *refused;
        if (client.origin != Origin::kApplications) co_return ToApi{};
        co_return refusal(404, "not_found",
                          "Nothing is here: applications have paths like /{workspaceId}/{port}/.");
    }

    // 2. "…/proxy" is the page of which "…/proxy/" is the directory: relative links need the slash.
    if (door->rest.empty())
        co_return Redirect{307, with_query(std::string(door->prefix) + "/", head.query()), {}};

    // 3. The ids in the path.
    if (!door->rewrite && !door->own_origin) {
        auto parsed = place_of(*door);
        if (!parsed) co_return parsed.error();
        place = *parsed;
    }

    // 4. A ticket is redeemed before anything else is asked for; by GET only, since previews of links send
    // HEAD.
    bool opening = head.method == "GET";
    if (client.origin == Origin::kApplications && opening && !ticket_in(head.query()).empty())
        co_return co_await redeem(head, client, *place, std::string(door->prefix));
    if (door->own_origin && opening && !ticket_in(head.query(), kShareParameter).empty())
        co_return redeem_link(head, client, *place);

    // 5. Who asks. A cookie counts only for the workspace and port that it names.
    auto caller =
        door->own_origin ? co_await identify_visitor(head, client, *place) : known_bearer(head, client);
    if (!caller && door->own_origin) co_return turn_away(head, client, *place, caller.error());
    if (!caller) caller = co_await identify(head, client);
    if (!caller) co_return std::move(caller.error());
    const auto& principal = *caller->principal;
    if (principal.scope &&
        (!place || principal.scope->workspace != place->workspace || principal.scope->port != place->port))
        co_return unauthenticated(
            "This sign-in is for another application. Open this one from its workspace.");

    // Nor does an API token with a scope. Which workspace a rewrite means is found with its route, and looked
    // at there.
    const bool found_later = !place && door->rewrite && !door->rewrite->upstream;
    if (!found_later) {
        std::optional<base::WorkspaceId> whose;
        if (place) whose = place->workspace;
        if (auto refused = refuse_scope(principal, whose)) {
            refused->principal = caller->principal;
            co_return std::move(*refused);
        }
    }

    // 6. The caller's own Authorization passes only where it cannot be our token.
    ToApplication to;
    if (caller->by_cookie) to.pass_authorization = co_await is_foreign_authorization(head);

    // 7. The workspace: the caller's own or shared with them, and running. Nothing below waits: whoever
    // publishes a table may count on it that a request goes to the instance which that table names, or is
    // counted in its use.
    // Our own pages ask by a parameter; no application gets to see that.
    const bool ours = client.origin == Origin::kApplications && head.query().contains(kStartingParameter);
    if (place && !ours) to.route = ready_route(place->workspace, principal.user);
    if (!to.route && (!door->rewrite || !door->rewrite->upstream)) {
        auto route = co_await find_route(head, client, *door, place, *caller, moved);
        if (!route) {
            if (auto* refused = std::get_if<Refusal>(&route.error())) refused->principal = caller->principal;
            co_return std::move(route.error());
        }
        to.route = *route;
        if (to.route->owner != principal.user) to.visitor = caller->visitor;
    }

    // 8. A page of another origin may not open a socket with the user's cookie (there is no CORS for
    // WebSocket). Nor, of an application's neighbours, which browsers count as the same site, may one send
    // with that cookie what changes something: SameSite does not keep them apart.
    to.upgrade = upgrade_of(head);
    bool guarded = !to.upgrade.empty() || (door->own_origin && caller->by_cookie && !is_safe(head.method) &&
                                           !is_open_to_all(*place));
    if (guarded)
        if (auto refused = check_origin(head, client, door->own_origin)) {
            refused->principal = caller->principal;
            co_return *refused;
        }

    // 9. Where it is reached, and by what path. The application's base path is the applications origin's, by
    // every door.
    bool strip = true;
    if (to.route) {
        const int port = place && place->port ? *place->port : to.route->default_port;
        auto endpoint = to.route->endpoint(port);
        if (!endpoint)
            co_return refusal(502, "upstream_unreachable",
                              "Port " + std::to_string(port) +
                                  " of the workspace cannot be reached: this server reaches workspaces by "
                                  "published ports (docker.reach), and only port " +
                                  std::to_string(to.route->default_port) +
                                  " of this one is published. Serve on that one, or ask the operator.");
        to.target = {*endpoint, to.route->instance};
        to.port = port;
        strip = to.route->strip_prefix || port != to.route->default_port;
    } else {
        to.target = {*door->rewrite->upstream, {}};
    }
    std::string path(door->rest);
    if (!strip) {
        auto base = "/" + to.route->workspace.str() + "/" + std::to_string(to.port);
        // On its own origin the application's links have its base path already.
        bool inside = door->own_origin && path.starts_with(base) &&
                      (path.size() == base.size() || path[base.size()] == '/');
        if (!inside) path.insert(0, base);
    }
    to.own_origin = door->own_origin;
    auto query = query_part_without_ticket(head.target);
    if (ours && !query.empty()) query = with_query({}, query_without_starting(query.substr(1)));
    to.upstream_target = std::move(path) + query;
    to.prefix = door->prefix;
    to.prefix_stripped = strip;

    to.principal = caller->principal;
    to.epoch = caller->epoch;
    co_return to;
}

std::expected<Gateway::Place, Refusal> Gateway::place_of(const Door& door) const {
    auto workspace = base::WorkspaceId::parse(door.workspace);
    if (!workspace) return std::unexpected(bad_field("id", "must be a UUID"));
    Place place{*workspace, std::nullopt};
    if (door.port) {
        place.port = parse_port(*door.port);
        if (!place.port) return std::unexpected(bad_field("port", "must be a number from 1 to 65535"));
    }
    return place;
}

Task<Decision> Gateway::redeem(const http::RequestHead& head, const Client& client, Place place,
                               std::string prefix) {
    auto answer = co_await worker_.questions().ask<Answer<ApplicationCookie>>(
        worker_.control().redeem_ticket, ticket_in(head.query()), place.workspace, *place.port);
    if (!answer) co_return unavailable("The server cannot check the ticket now. Try again.");
    if (!*answer) co_return Refusal{answer->error(), std::nullopt, {}};
    co_return opened(head, client, cookie_name(kApplicationCookie, client) + "=" + (*answer)->value, prefix,
                     (*answer)->expires_at);
}

std::shared_ptr<const model::Route> Gateway::ready_route(const base::WorkspaceId& workspace,
                                                         const base::UserId& user) const {
    const auto& table = worker_.routes();
    if (!table) return nullptr;
    const auto found = table->routes.find(workspace);
    if (found == table->routes.end() || found->second->owner != user) return nullptr;
    return found->second->state == model::RouteState::kReady ? found->second : nullptr;
}

Task<std::expected<std::shared_ptr<const model::Route>, Decision>> Gateway::find_route(
    const http::RequestHead& head, const Client& client, Door door, std::optional<Place> place,
    const Caller& caller, bool moved) {
    const auto user = caller.principal->user;
    auto deadline = worker_.loop().after(worker_.limits().hold);
    const auto page_at = std::min(deadline, worker_.loop().after(kHoldBeforePage));
    // Our own page is at home on the applications' origin only.
    const bool has_page = client.origin == Origin::kApplications;
    const auto asked = has_page ? starting_query(head) : std::nullopt;
    // What was under way when the workspace was stopped does not start it again.
    bool arrives = !moved;
    while (true) {
        auto until = deadline;
        if (auto table = worker_.routes()) {
            std::optional<base::WorkspaceId> workspace;
            if (place) workspace = place->workspace;
            if (!place) {
                auto found = table->defaults.find({user, door.rewrite->type});
                if (found == table->defaults.end())
                    co_return std::unexpected(
                        refusal(404, "workspace_not_found",
                                "You have no workspace of type " + door.rewrite->type + "."));
                workspace = found->second;
                if (auto refused = refuse_scope(*caller.principal, workspace))
                    co_return std::unexpected(std::move(*refused));
            }
            auto found = table->routes.find(*workspace);
            const bool owns = found != table->routes.end() && found->second->owner == user;
            if (found == table->routes.end() || (!owns && !is_shared(*table, place, caller)))
                co_return std::unexpected(
                    !caller.visitor || caller.visitor->signed_in
                        ? no_workspace()
                        : unauthenticated("This is no longer shared. Ask its owner, or sign in."));
            auto route = found->second;
            const bool stopped = route->state == model::RouteState::kStopped;
            // A neighbour's page can have the address of that link, too, and put it into a frame.
            const bool again = asked && asked->again && is_page_request(head) &&
                               (!door.own_origin || !comes_from_elsewhere(head));
            // Our own pages are the owner's: nobody else starts anything.
            if (asked && !owns) co_return std::unexpected(no_workspace());
            if (asked && !(again && stopped))
                co_return std::unexpected(
                    co_await tell_start(head, route, again ? worker_.wall_clock() : asked->since));
            if (route->state == model::RouteState::kReady) co_return route;
            if (stopped) {
                if (owns && route->wake_on_request && arrives && (again || may_wake(head, caller.by_cookie)))
                    co_return std::unexpected(co_await wake(head, client, route, again));
                co_return std::unexpected(
                    refusal(503, "workspace_not_running", "The workspace is not running. Start it first."));
            }
            arrives = false;
            if (has_page && owns && route->wake_on_request && is_page_request(head)) {
                if (std::chrono::steady_clock::now() >= page_at)
                    co_return std::unexpected(co_await tell_start(head, route, worker_.wall_clock()));
                until = page_at;
            }
        }
        // Not the loop's time, which is behind that of the timer below: it would be over again and again.
        if (std::chrono::steady_clock::now() >= deadline || worker_.draining())
            co_return std::unexpected(not_ready());
        co_await worker_.next_routes(until);
    }
}

bool Gateway::is_shared(const model::RouteTable& table, const std::optional<Place>& place,
                        const Caller& caller) const {
    return place && place->port && caller.visitor &&
           model::sharing_for(table.sharings_of(place->workspace), *place->port, *caller.visitor,
                              worker_.wall_clock()) != nullptr;
}

std::optional<Refusal> Gateway::check_origin(const http::RequestHead& head, const Client& client,
                                             bool own_origin) const {
    auto origin = head.get("Origin");
    if (!origin) return std::nullopt;
    // What a form of a page without referrers says, on its own origin too; browsers let no page set the
    // other.
    if (*origin == "null" && head.get("Sec-Fetch-Site").value_or("") == "same-origin") return std::nullopt;
    const auto& options = worker_.options();
    const auto& configured = client.origin == Origin::kApi ? options.public_url : options.apps_url;
    if (http::iequals(*origin, client.scheme + "://" + std::string(head.host))) return std::nullopt;
    if (!own_origin && !configured.empty() && http::iequals(*origin, configured)) return std::nullopt;
    return refusal(403, "foreign_origin", "A page of another origin may not open this connection.");
}

}  // namespace agentdb9::proxy
