// Decides what becomes of a request: who answers it, and whether the caller may have it. One a worker, on its
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "http/head.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "model/route.hpp"
#include "proxy/control_plane.hpp"
#include "proxy/door.hpp"
#include "proxy/metrics.hpp"
#include "proxy/remembered_texts.hpp"
#include "proxy/token_cache.hpp"
#include "proxy/upstream_pool.hpp"

namespace agentdb9::proxy {

class Worker;

// What is known of the client beyond its request.
struct Client {
    Origin origin = Origin::kApi;
    std::string peer;     // of the connection
    std::string address;  // behind trusted proxies
    bool trusted_peer = false;
    std::string scheme;  // "http" or "https", as the client sees it
};

struct ToApi {};

struct ToApplication {
    std::shared_ptr<const model::Route> route;  // null: a fixed upstream
    Target target;
    std::string upstream_target;  // path and query there
    std::string prefix;           // of the door, without the slash at its end
    bool prefix_stripped = true;
    PrincipalPtr principal;
    std::uint64_t epoch = 0;  // of revocations, when the principal was found
    bool pass_authorization = false;
    std::string upgrade;
    int port = 0;                           // of the workspace; 0: a fixed upstream
    bool own_origin = false;                // the host name is this application's alone
    std::optional<model::Visitor> visitor;  // absent: the owner, who needs no share

    // Whether the table still lets them have it. Only where there is a visitor.
    bool is_shared(const model::RouteTable& table, base::Time now) const;
};

struct Redirect {
    int status = 307;
    std::string location;
    std::string set_cookie;  // empty: none
};

struct Refusal {
    http::Problem problem;
    std::optional<int> retry_after_seconds;
    std::string www_authenticate;
    PrincipalPtr principal = {};  // whom it refuses, where that is known
};

inline constexpr std::string_view kTooManyConnections = "too_many_connections";
// For the limits of connections: 503 when it is the server's, 429 when it is the client's own.
Refusal too_many_connections(LimitHit limit);

// A page of ours in place of an application that is not running.
struct Reply {
    http::Response response;
};

using Decision = std::variant<ToApi, ToApplication, Redirect, Refusal, Reply>;

class Gateway {
  public:
    explicit Gateway(Worker& worker) : worker_(worker) {}

    // May wait: for the control plane, and for a workspace that starts. `head` and `client` are the calling
    // session's. `moved`: it was decided before, and the instance that it was meant for is gone.
    Task<Decision> decide(const http::RequestHead& head, const Client& client, bool moved = false);
    // Why a request for the API is nobody's, whose own check comes after the body; absent where its token is
    // good. May ask the control plane.
    Task<std::optional<http::Problem>> problem_with_bearer(const http::RequestHead& head);
    // Once a minute or so: what is remembered without a limit of its own is forgotten.
    void sweep() {
        foreign_tokens_.clear();
        ended_cookies_.clear();
    }

  private:
    struct Caller {
        PrincipalPtr principal;
        std::uint64_t epoch = 0;
        bool by_cookie = false;
        std::optional<model::Visitor> visitor = std::nullopt;  // where each application has an origin
    };
    struct Place {
        base::WorkspaceId workspace;
        std::optional<int> port;  // absent: the type's
    };
    using CallerResult = std::expected<Caller, Refusal>;

    CallerResult known_bearer(const http::RequestHead& head, const Client& client);
    std::shared_ptr<const model::Route> ready_route(const base::WorkspaceId& workspace,
                                                    const base::UserId& user) const;
    // Where each application has an origin (gateway_origins.cpp): the application that the host name means,
    // absent where the path is to tell; and what its address becomes where the name is no application's.
    std::expected<std::optional<Place>, Decision> place_by_name(const http::RequestHead& head,
                                                                const Client& client) const;
    Decision elsewhere(const http::RequestHead& head, const Client& client) const;
    // Whoever has signed in for this place; else somebody unknown, when they may have it all the same.
    Task<CallerResult> identify_visitor(const http::RequestHead& head, const Client& client, Place place);
    // Whoever opens a page is led to where they can sign in for it.
    Decision turn_away(const http::RequestHead& head, const Client& client, Place place,
                       Refusal refusal) const;
    Decision redeem_link(const http::RequestHead& head, const Client& client, Place place) const;
    std::string cookie_name(std::string_view name, const Client& client) const;
    bool is_open_to_all(const Place& place) const;
    bool is_shared(const model::RouteTable& table, const std::optional<Place>& place,
                   const Caller& caller) const;
    Task<CallerResult> identify(const http::RequestHead& head, const Client& client);
    Task<Answer<Caller>> check(auth::Credential credential);
    Task<bool> is_foreign_authorization(const http::RequestHead& head);
    Task<bool> is_our_token(std::string token);
    Task<Decision> redeem(const http::RequestHead& head, const Client& client, Place place,
                          std::string prefix);
    Redirect opened(const http::RequestHead& head, const Client& client, std::string cookie,
                    std::string_view prefix, std::optional<base::Time> end) const;
    std::expected<Place, Refusal> place_of(const Door& door) const;
    // The route, once it is known and not held. Else what the caller gets: a refusal when it is another's or
    // does not run, or what a start that was asked for looks like.
    Task<std::expected<std::shared_ptr<const model::Route>, Decision>> find_route(
        const http::RequestHead& head, const Client& client, Door door, std::optional<Place> place,
        const Caller& caller, bool moved);
    // Starts a stopped workspace for its owner, who `insists` where they followed our page's link.
    Task<Decision> wake(const http::RequestHead& head, const Client& client,
                        std::shared_ptr<const model::Route> route, bool insists);
    // How far the start is that its owner has waited for since then.
    Task<Decision> tell_start(const http::RequestHead& head, std::shared_ptr<const model::Route> route,
                              base::Time since);
    std::optional<Refusal> check_origin(const http::RequestHead& head, const Client& client,
                                        bool own_origin) const;

    Worker& worker_;
    // Tokens in Authorization fields that are an application's, not ours.
    RememberedTexts foreign_tokens_;
    // What stands in our cookie and opens nothing. Not the same: a token of ours is no such cookie.
    RememberedTexts ended_cookies_;
};

}  // namespace agentdb9::proxy
