#include "api/auth_routes.hpp"

#include "api/body.hpp"
#include "api/cookies.hpp"
#include "api/envelope.hpp"
#include "api/problem.hpp"
#include "api/views.hpp"

namespace agentdb9::api {
namespace {

using services::Client;
using services::SessionTokens;

constexpr std::size_t kMaxRefreshToken = 512;

Client client_of(const http::Request& request) {
    return {request.peer, std::string(request.headers.get("User-Agent").value_or(""))};
}

// How existing clients read it: at the top level, without the envelope.
json::object token_fields(const SessionTokens& tokens, bool in_cookie) {
    json::object body{{"user", to_json(tokens.user)}, {"accessToken", tokens.access_token}};
    if (!in_cookie) body["refreshToken"] = tokens.refresh_token;
    body["expiresIn"] = tokens.expires_in.count();
    return body;
}

class AuthRoutes {
  public:
    AuthRoutes(services::AccountService& accounts, const base::Clock& clock, std::string public_url)
        : accounts_(accounts), clock_(clock), public_url_(std::move(public_url)) {}

    Task<http::Response> register_account(Call& call) {
        accounts_.require_registration_open();
        Body body(call.request);
        services::NewAccount account;
        account.email = body.required_text("email", 1, 320);
        account.username = body.required_text("username", 1, 100);
        account.password = body.required_secret("password");
        account.first_name = body.optional_text("firstName", 0, 100);
        account.last_name = body.optional_text("lastName", 0, 100);
        const bool in_cookie = wants_cookie(body);
        body.finish();
        if (in_cookie) require_own_origin(call.request, public_url_);
        const auto tokens = co_await accounts_.register_account(std::move(account), client_of(call.request));
        co_return respond(201, token_fields(tokens, in_cookie), tokens, in_cookie, call.request);
    }

    Task<http::Response> login(Call& call) {
        Body body(call.request);
        auto email = body.required_text("email", 1, 320);
        auto password = body.required_secret("password");
        const bool in_cookie = wants_cookie(body);
        body.finish();
        if (in_cookie) require_own_origin(call.request, public_url_);
        const auto tokens =
            co_await accounts_.login(std::move(email), std::move(password), client_of(call.request));
        co_return respond(200, token_fields(tokens, in_cookie), tokens, in_cookie, call.request);
    }

    Task<http::Response> refresh(Call& call) {
        Body body(call.request);
        auto token = body.optional_text("refreshToken", 1, kMaxRefreshToken);
        const bool in_cookie = wants_cookie(body);
        if (!token && !in_cookie) body.problem("refreshToken", "is required");
        if (token && in_cookie) body.problem("cookie", "goes without refreshToken");
        body.finish();
        auto reuse = services::Reuse::kStolen;
        bool several = false;
        if (in_cookie) {
            require_own_origin(call.request, public_url_);
            auto cookies = refresh_cookies(call.request);
            if (cookies.empty()) {
                throw base::Error(base::ErrorCode::kUnauthenticated, "no_session",
                                  "There is no session in this browser. Log in.");
            }
            several = cookies.size() > 1;
            auto own = accounts_.own_refresh_tokens(std::move(cookies));
            if (own.size() != 1) co_return refuse_cookies(own.size(), call.request);
            token = std::move(own.front());
            reuse = services::Reuse::kMaybeTwoPages;
        }
        const auto tokens = co_await accounts_.refresh(std::move(*token), reuse, client_of(call.request));
        auto fields = token_fields(tokens, in_cookie);
        fields["success"] = true;
        fields["data"] = json::object{{"token", tokens.access_token}, {"user", to_json(tokens.user)}};
        co_return respond(200, fields, tokens, in_cookie, call.request, several);
    }

    Task<http::Response> logout(Call& call) {
        Body body(call.request);
        auto token = body.optional_text("refreshToken", 1, kMaxRefreshToken);
        body.finish();
        co_await accounts_.logout(call.user(), std::move(token));
        auto response = ok(nullptr, "Logged out");
        if (!refresh_cookies(call.request).empty()) clear_refresh_cookies(response, call.request);
        co_return response;
    }

    Task<http::Response> profile(Call& call) {
        co_return ok(to_json(co_await accounts_.profile(call.user())));
    }

    Task<http::Response> update_profile(Call& call) {
        Body body(call.request);
        services::ProfileChange change;
        change.email = body.optional_text("email", 1, 320);
        change.username = body.optional_text("username", 1, 100);
        change.first_name = body.optional_text("firstName", 0, 100);
        change.last_name = body.optional_text("lastName", 0, 100);
        change.preferences = body.optional_object("preferences", 16 * 1024);
        change.current_password = body.optional_secret("currentPassword");
        body.finish();
        co_return ok(to_json(co_await accounts_.update_profile(call.user(), std::move(change))),
                     "Profile updated");
    }

    Task<http::Response> change_password(Call& call) {
        Body body(call.request);
        auto current = body.required_secret("currentPassword");
        auto next = body.required_secret("newPassword");
        body.finish();
        co_await accounts_.change_password(call.user(), std::move(current), std::move(next));
        co_return ok(nullptr, "Password changed");
    }

  private:
    static bool wants_cookie(Body& body) { return body.optional_bool("cookie").value_or(false); }

    // What came as the cookie is no session of ours, or of two: one of them was set by an application's page,
    // and which is the user's cannot be told. Nothing of it stays behind.
    http::Response refuse_cookies(std::size_t sessions, const http::Request& request) const {
        http::Problem problem{401,
                              "invalid_refresh_token",
                              "The session in this browser is not valid any more. Log in again.",
                              {}};
        if (sessions > 1) {
            problem.code = "several_sessions";
            problem.message =
                "This browser sent cookies of several sessions, which only a page of another origin can have "
                "brought about. They are removed: log in again, and look at which applications you opened.";
        }
        auto response = problem_response(problem, request, clock_);
        clear_refresh_cookies(response, request);
        return response;
    }

    // `several`: cookies of the name came that are none of ours.
    http::Response respond(int status, const json::object& body, const SessionTokens& tokens, bool in_cookie,
                           const http::Request& request, bool several = false) const {
        auto response = json_response(status, body);
        if (several) clear_refresh_cookies(response, request);
        if (in_cookie) {
            set_refresh_cookie(response, request, tokens.refresh_token, clock_.now(),
                               tokens.session_expires_at);
        }
        return response;
    }

    services::AccountService& accounts_;
    const base::Clock& clock_;
    std::string public_url_;
};

// "read" and "write", of which the second holds the first. Absent: everything.
model::TokenPower read_scopes(Body& body) {
    const auto scopes = body.optional_array("scopes", 100);
    if (!scopes) return model::TokenPower::kFull;
    auto power = model::TokenPower::kRead;
    bool known = !scopes->empty();
    for (const auto& each : *scopes) {
        const auto* text = each.if_string();
        if (text != nullptr && *text == "write") {
            power = model::TokenPower::kWrite;
        } else if (text == nullptr || *text != "read") {
            known = false;
        }
    }
    if (!known) body.problem("scopes", "must name 'read', 'write' or both; leave it out for everything");
    return power;
}

Task<http::Response> create_token(services::ApiTokenService& tokens, Call& call) {
    Body body(call.request);
    auto name = body.required_text("name", 1, 100);
    auto expires_at = body.optional_time("expiresAt");
    model::TokenScope scope{.power = read_scopes(body)};
    scope.workspace = body.optional_id<base::WorkspaceId>("workspaceId");
    body.finish();
    const auto token = co_await tokens.create(call.user(), std::move(name), expires_at, scope);
    auto view = to_json(token.row);
    view["token"] = token.text;
    co_return created(std::move(view), "Copy the token now: it is not shown again");
}

}  // namespace

void add_auth_routes(Router& router, services::AccountService& accounts, services::ApiTokenService& tokens,
                     const base::Clock& clock, std::string public_url) {
    auto routes = std::make_shared<AuthRoutes>(accounts, clock, std::move(public_url));
    const auto add = [&](std::string method, std::string path, Access access,
                         Task<http::Response> (AuthRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/auth" + std::move(path), access,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("POST", "/register", Access::kPublic, &AuthRoutes::register_account);
    add("POST", "/login", Access::kPublic, &AuthRoutes::login);
    add("POST", "/refresh", Access::kPublic, &AuthRoutes::refresh);
    add("POST", "/logout", Access::kUser, &AuthRoutes::logout);
    add("GET", "/profile", Access::kUser, &AuthRoutes::profile);
    add("PATCH", "/profile", Access::kUser, &AuthRoutes::update_profile);
    add("POST", "/change-password", Access::kUser, &AuthRoutes::change_password);

    router.add("GET", "/api/auth/tokens", Access::kUser, [&tokens](Call& call) -> Task<http::Response> {
        co_return ok(to_json_array(co_await tokens.list(call.user())));
    });
    router.add("POST", "/api/auth/tokens", Access::kUser,
               [&tokens](Call& call) { return create_token(tokens, call); });
    router.add("DELETE", "/api/auth/tokens/:id", Access::kUser,
               [&tokens](Call& call) -> Task<http::Response> {
                   const auto id = call.id<base::ApiTokenId>("id");
                   Body(call.request).finish();
                   co_await tokens.remove(call.user(), id);
                   co_return ok(nullptr, "Token deleted");
               });
}

}  // namespace agentdb9::api
