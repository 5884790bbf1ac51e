#include "api/problem.hpp"

#include "api/envelope.hpp"
#include "base/async.hpp"
#include "base/log.hpp"

namespace agentdb9::api {

int status_of(base::ErrorCode code) {
    switch (code) {
        case base::ErrorCode::kInvalid:
            return 400;
        case base::ErrorCode::kUnauthenticated:
            return 401;
        case base::ErrorCode::kForbidden:
            return 403;
        case base::ErrorCode::kNotFound:
            return 404;
        case base::ErrorCode::kConflict:
        case base::ErrorCode::kQuota:
            return 409;
        case base::ErrorCode::kTooLarge:
            return 413;
        case base::ErrorCode::kRateLimited:
            return 429;
        case base::ErrorCode::kInternal:
            return 500;
        case base::ErrorCode::kUpstream:
            return 502;
        case base::ErrorCode::kUnavailable:
            return 503;
        case base::ErrorCode::kTimeout:
            return 504;
    }
    return 500;
}

http::Problem problem_of(const base::Error& error) {
    return {status_of(error.code()), error.word(), error.message(), error.fields()};
}

http::Response problem_response(const http::Problem& problem, const http::Request& request,
                                const base::Clock& clock) {
    auto response = json_text_response(
        problem.status,
        http::problem_json(problem, {request.id, request.method, request.path(), clock.now()}));
    // RFC 9110 section 11.6.1: a 401 names the scheme.
    if (problem.status == 401) response.headers.set("WWW-Authenticate", "Bearer");
    return response;
}

http::Response failure_response(const std::exception_ptr& failure, const http::Request& request,
                                const base::Clock& clock) {
    try {
        std::rethrow_exception(failure);
    } catch (const base::Error& error) {
        const auto problem = problem_of(error);
        if (problem.status >= 500) {
            log::exception("request failed", failure, {{"requestId", request.id}, {"code", error.word()}});
        }
        auto response = problem_response(problem, request, clock);
        if (auto seconds = error.retry_after_seconds()) {
            response.headers.set("Retry-After", std::to_string(*seconds));
        }
        return response;
    } catch (...) {
        if (base::is_cancellation(failure)) {
            // Nobody reads it but the audit log: the status is what servers write down for a client that
            // went.
            return problem_response(
                {499, "given_up", "It was given up: its client went, or the server ended.", {}}, request,
                clock);
        }
        log::exception("request failed", failure, {{"requestId", request.id}});
        return problem_response(
            {500,
             "internal_error",
             "Something went wrong in the server. Its log has the details under this request id.",
             {}},
            request, clock);
    }
}

}  // namespace agentdb9::api
