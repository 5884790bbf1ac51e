#include "proxy/gateway.hpp"

#include "auth/bearer.hpp"
#include "auth/tokens.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "proxy/refusals.hpp"
#include "proxy/relay_headers.hpp"
#include "proxy/wake_rule.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

// A browser that carries more of them is not one of ours.
constexpr std::size_t kMaxCookiesTried = 4;
// No application needs more of them, and each is a question.
constexpr std::size_t kMaxSignedTexts = 4;
// A page that waits for a start is told of it soon; what only switches is mostly there before.
constexpr std::chrono::seconds kHoldBeforePage{1};
constexpr std::string_view kApiTokenPrefix = "adb9_";
// Bytes; ours are shorter.
constexpr std::size_t kLongestCookie = 512;
constexpr std::size_t kLongestToken = 8'192;

// It will not be good again.
bool is_over(const http::Problem& problem) {
    return problem.code == "invalid_token" || problem.code == "token_expired" ||
           problem.code == "token_revoked";
}

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

bool wants_html(const http::RequestHead& head) {
    return head.has("Accept", "text/html") || head.get("Accept").value_or("").contains("text/html");
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
              "and try "
              "again."
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

// What most requests of programs come to, without a coroutine or a copy: a bearer token that was checked
// before, where no cookie comes first.
Gateway::CallerResult Gateway::known_bearer(const http::RequestHead& head, const Client& client) {
    const bool cookies_first = client.origin == Origin::kApplications && head.get("Cookie");
    const auto token = auth::bearer_token(head.get("Authorization").value_or(""));
    if (!token || cookies_first) return std::unexpected(Refusal());
    auto& tokens = worker_.tokens();
    auto known = tokens.find(auth::Credential::Kind::kBearer, *token, worker_.wall_clock());
    if (!known) return std::unexpected(Refusal());
    ++worker_.metrics().token_hits;
    return Caller{std::move(known), tokens.epoch(), false};
}

std::shared_ptr<const model::Route> Gateway::ready_route(const base::WorkspaceId& workspace,
                                                         const base::UserId& user) const {
    const auto& table = worker_.routes();
    if (!table) return nullptr;
    const auto found = table->routes.find(workspace);
    if (found == table->routes.end() || found->second->owner != user) return nullptr;
    return found->second->state == model::RouteState::kReady ? found->second : nullptr;
}

Task<Gateway::CallerResult> Gateway::identify(const http::RequestHead& head, const Client& client) {
    std::optional<http::Problem> problem;
    bool offered = false;
    // Cookies never authenticate on the API's origin.
    if (client.origin == Origin::kApplications) {
        auto name = cookie_name(kApplicationCookie, client);
        auto cookies = application_cookies(head, name);
        if (cookies.size() > kMaxCookiesTried) cookies.resize(kMaxCookiesTried);
        for (auto cookie : cookies) {
            offered = true;
            // Whoever keeps one that is over goes on with what is open to all, and asks no one each time.
            if (cookie.size() > kLongestCookie || ended_cookies_.contains(std::string(cookie))) {
                problem = {401, "unauthenticated", "This sign-in has ended. Sign in again.", {}};
                continue;
            }
            auto caller = co_await check({auth::Credential::Kind::kApplicationCookie, std::string(cookie)});
            if (caller) {
                caller->by_cookie = true;
                co_return *caller;
            }
            problem = caller.error();
            bool own_origin = !worker_.options().apps_domain.empty();
            if (own_origin && is_over(*problem)) ended_cookies_.add(std::string(cookie));
        }
    }
    if (auto token = auth::bearer_token(head.get("Authorization").value_or(""))) {
        auto caller = co_await check({auth::Credential::Kind::kBearer, std::string(*token)});
        if (caller) co_return *caller;
        problem = caller.error();
        offered = true;
    }
    if (offered) {
        Refusal refused{*problem, std::nullopt, {}, {}};
        if (problem->status == 401) refused.www_authenticate = "Bearer";
        if (problem->status == 503) refused.retry_after_seconds = 2;
        co_return std::unexpected(refused);
    }
    if (!wants_html(head))
        co_return std::unexpected(unauthenticated("Send an access token: Authorization: Bearer ..."));
    const auto& url = worker_.options().public_url;
    std::string where = url.empty() ? "on the server's own page" : "at " + url + "/";
    co_return std::unexpected(unauthenticated("Sign in " + where + " and open the workspace from there."));
}

Task<Answer<Gateway::Caller>> Gateway::check(auth::Credential credential) {
    auto& tokens = worker_.tokens();
    auto epoch = tokens.epoch();
    if (auto known = tokens.find(credential.kind, credential.text, worker_.wall_clock())) {
        ++worker_.metrics().token_hits;
        co_return Caller{known, epoch, false};
    }
    ++worker_.metrics().token_misses;
    auto answer =
        co_await worker_.questions().ask<Answer<auth::Principal>>(worker_.control().authenticate, credential);
    if (!answer)
        co_return std::unexpected(
            http::Problem{503, "unavailable", "The server cannot check credentials now.", {}});
    if (!*answer) co_return std::unexpected(answer->error());
    // Revoked while the question was open.
    if (tokens.revoked_since(epoch, **answer))
        co_return std::unexpected(
            http::Problem{401, "unauthenticated", "This sign-in has ended. Sign in again.", {}});
    auto principal = std::make_shared<const auth::Principal>(std::move(**answer));
    tokens.put(std::move(credential), principal);
    co_return Caller{std::move(principal), tokens.epoch(), false};
}

Task<bool> Gateway::is_foreign_authorization(const http::RequestHead& head) {
    constexpr std::string_view kBearer = "bearer";
    std::size_t fields = 0;
    for (const auto& field : head.fields)
        if (http::iequals(field.name, "Authorization")) ++fields;
    if (fields != 1) co_return fields == 0;
    auto value = *head.get("Authorization");
    if (value.contains(kApiTokenPrefix)) co_return false;
    // Ours is ours in another scheme, too, or where a proxy has joined two fields.
    const auto likely = auth::signed_texts(value);
    if (likely.size() > kMaxSignedTexts) co_return false;
    for (auto text : likely)
        if (auth::is_like_refresh_token(text) || co_await is_our_token(std::string(text))) co_return false;
    if (auto token = auth::bearer_token(value)) co_return !co_await is_our_token(std::string(*token));
    // A bearer token in a form that we do not read may be read by others.
    co_return !http::iequals(value.substr(0, kBearer.size()), kBearer);
}

Task<bool> Gateway::is_our_token(std::string token) {
    if (token.size() > kLongestToken || foreign_tokens_.contains(token)) co_return false;
    auto caller = co_await check({auth::Credential::Kind::kBearer, token});
    if (caller) co_return true;
    // Where it could not be told, better too little than our token to an application; and one that was good
    // once, or will be again, is still no application's business.
    if (caller.error().code != "invalid_token") co_return true;
    foreign_tokens_.add(std::move(token));
    co_return false;
}

Task<std::optional<http::Problem>> Gateway::problem_with_bearer(const http::RequestHead& head) {
    const auto token = auth::bearer_token(head.get("Authorization").value_or(""));
    if (!token)
        co_return http::Problem{413,
                                "body_too_large",
                                "Without an access token a body may have " +
                                    std::to_string(worker_.limits().strangers_body_bytes) +
                                    " bytes at most. Send one: Authorization: Bearer ...",
                                {}};
    const auto caller = co_await check({auth::Credential::Kind::kBearer, std::string(*token)});
    if (caller) co_return std::nullopt;
    co_return caller.error();
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
