#include "api/api.hpp"

#include "api/envelope.hpp"
#include "api/problem.hpp"
#include "api/token_scope.hpp"
#include "auth/bearer.hpp"

namespace agentdb9::api {

base::Error error_of(auth::Failure failure) {
    using base::Error;
    using base::ErrorCode;
    switch (failure) {
        case auth::Failure::kMalformed:
            return Error(ErrorCode::kUnauthenticated, "invalid_token",
                         "The token is not valid. Log in, or use an API token of this server.");
        case auth::Failure::kExpired:
            return Error(ErrorCode::kUnauthenticated, "token_expired",
                         "The token has expired. Log in again.");
        case auth::Failure::kRevoked:
            return Error(ErrorCode::kUnauthenticated, "token_revoked",
                         "The token is no longer valid: its session has ended. Log in again.");
        case auth::Failure::kUnavailable:
            return Error(ErrorCode::kUnavailable, "database_unavailable",
                         "The database does not answer now: try again in a moment.")
                .with_retry_after(1);
    }
    return Error(ErrorCode::kInternal, "internal_error", "The token could not be checked.");
}

namespace {

http::Caller caller_of(const auth::Principal& principal) {
    return {.user = principal.user.str(),
            .session = principal.session ? principal.session->str() : std::string(),
            .api_token = principal.api_token ? principal.api_token->str() : std::string(),
            .ends_at = principal.ends_at};
}

}  // namespace

Api::Api(const base::Clock& clock, Authenticate authenticate)
    : clock_(clock), authenticate_(std::move(authenticate)) {}

Task<http::Response> Api::handle(http::Request request) {
    const auto began = clock_.steady_now();
    std::exception_ptr failure;
    Known known;
    http::Response response;
    try {
        response = co_await run(request, known);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) response = failure_response(failure, request, clock_);
    // Whoever gave it up waits for nothing; that it was asked for is told all the same.
    if (failure && base::is_cancellation(failure))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    // Where a ticket told, the handler knows who asks.
    if (known.principal) response.caller = caller_of(*known.principal);
    if (known.endpoint != nullptr) {
        auto& measure = measures_[known.endpoint];
        measure.took.record(clock_.steady_now() - began);
        ++measure.by_status[response.status];
    }
    if (recorder_ && known.endpoint != nullptr)
        co_await recorder_({request, *known.endpoint, known.principal, response});
    co_return response;
}

Task<http::Response> Api::run(const http::Request& request, Known& known) {
    auto match = router_.match(request.method, request.path());
    switch (match.kind) {
        case Router::Match::Kind::kFound:
            break;
        case Router::Match::Kind::kOptions: {
            auto response = no_content();
            response.headers.set("Allow", match.allow);
            co_return response;
        }
        case Router::Match::Kind::kWrongMethod: {
            auto response =
                problem_response({405,
                                  "method_not_allowed",
                                  "This path does not know the verb. It knows: " + match.allow + ".",
                                  {}},
                                 request, clock_);
            response.headers.set("Allow", match.allow);
            co_return response;
        }
        case Router::Match::Kind::kNotFound:
            co_return problem_response({404, "not_found", "There is nothing at this path.", {}}, request,
                                       clock_);
        case Router::Match::Kind::kMalformed:
            co_return problem_response(
                {400, "invalid_path", "The path has a '%' that starts no encoded byte.", {}}, request,
                clock_);
    }
    known.endpoint = match.endpoint;
    Call call{request, std::move(match.parameters), std::nullopt, &is_project_of_};
    const Access access = match.endpoint->access;
    const bool by_ticket =
        access == Access::kTicket && !request.headers.get("authorization") && call.query("ticket");
    if (access != Access::kPublic && !by_ticket) {
        call.principal.emplace(co_await identify(request));
        known.principal = call.principal;
        co_await check_scope(call, *match.endpoint);
    }
    if (access == Access::kAdmin && call.principal->role != model::Role::kAdmin) {
        throw base::Error(base::ErrorCode::kForbidden, "admin_required",
                          "Only an administrator may do this.");
    }
    co_return co_await match.endpoint->handler(call);
}

Task<> Api::check_scope(Call& call, const Endpoint& endpoint) {
    if (call.user().token_scope.is_full()) co_return;
    const auto verdict = judge_scope(call.user().token_scope, endpoint, call.parameters);
    if (verdict.refusal)
        throw base::Error(base::ErrorCode::kForbidden, std::string(model::kTokenScope), *verdict.refusal);
    if (verdict.asks_for_project) co_await call.require_project_in_scope(call.id<base::ProjectId>("id"));
}

Task<auth::Principal> Api::identify(const http::Request& request) {
    const auto header = request.headers.get("authorization");
    if (!header) {
        throw base::Error(base::ErrorCode::kUnauthenticated, "authentication_required",
                          "This needs a token: send 'Authorization: Bearer …' with an access or API token.");
    }
    const auto token = auth::bearer_token(*header);
    if (!token) throw error_of(auth::Failure::kMalformed);
    auto principal =
        co_await authenticate_(auth::Credential{auth::Credential::Kind::kBearer, std::string(*token)});
    if (!principal) throw error_of(principal.error());
    co_return std::move(*principal);
}

}  // namespace agentdb9::api
