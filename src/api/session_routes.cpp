#include "api/session_routes.hpp"

#include "api/body.hpp"
#include "api/cookies.hpp"
#include "api/envelope.hpp"
#include "base/time.hpp"

namespace agentdb9::api {
namespace {

json::object view(const model::Session& session, const auth::Principal& caller) {
    return {{"id", session.id.view()},
            {"createdAt", base::format_time(session.created_at)},
            {"lastUsedAt", base::format_time(session.last_used_at)},
            {"expiresAt", base::format_time(session.expires_at)},
            {"address", session.address},
            {"userAgent", session.user_agent},
            {"current", caller.session == session.id}};
}

Task<http::Response> list(services::SessionService& sessions, Call& call) {
    json::array rows;
    for (const auto& each : co_await sessions.list(call.user()))
        rows.emplace_back(view(each, call.user()));
    co_return ok(std::move(rows));
}

Task<http::Response> end(services::SessionService& sessions, Call& call) {
    const auto id = call.id<base::SessionId>("id");
    Body(call.request).finish();
    co_await sessions.end(call.user(), id);
    auto response = ok(nullptr, "Session ended");
    // Its own, like a logout.
    if (call.user().session == id && !refresh_cookies(call.request).empty())
        clear_refresh_cookies(response, call.request);
    co_return response;
}

Task<http::Response> end_others(services::SessionService& sessions, Call& call) {
    Body(call.request).finish();
    const auto ended = co_await sessions.end_others(call.user());
    co_return ok(json::object{{"ended", ended}}, "All other sessions ended");
}

}  // namespace

void add_session_routes(Router& router, services::SessionService& sessions) {
    const auto add = [&](std::string method, std::string path, auto handler) {
        router.add(std::move(method), "/api/auth/sessions" + std::move(path), Access::kUser,
                   [&sessions, handler](Call& call) { return handler(sessions, call); });
    };
    add("GET", "", &list);
    add("DELETE", "", &end_others);
    add("DELETE", "/:id", &end);
}

}  // namespace agentdb9::api
