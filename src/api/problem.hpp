// The one place where errors become responses.
#pragma once

#include <exception>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"

namespace agentdb9::api {

// The HTTP status of a protocol-neutral code.
int status_of(base::ErrorCode code);

// What a client is told of an error: never its internal text.
http::Problem problem_of(const base::Error& error);

// The response to a request that failed with `failure`. Anything but base::Error is 500 "internal_error"; its
// text goes to the log under the request's id. Never throws base::Error.
http::Response failure_response(const std::exception_ptr& failure, const http::Request& request,
                                const base::Clock& clock);
// The response to a request that is refused before any handler saw it.
http::Response problem_response(const http::Problem& problem, const http::Request& request,
                                const base::Clock& clock);

}  // namespace agentdb9::api
