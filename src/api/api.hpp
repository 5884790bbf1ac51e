// The API as one function from request to response: authenticate, check access, run the handler, turn errors
// into problems. Control executor.
#pragma once

#include <expected>
#include <functional>

#include "api/router.hpp"
#include "auth/failure.hpp"
#include "auth/principal.hpp"
#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/message.hpp"

namespace agentdb9::api {

// What a refused credential is told, by whichever plane.
base::Error error_of(auth::Failure failure);

class Api {
  public:
    using Authenticate = std::function<Task<std::expected<auth::Principal, auth::Failure>>(auth::Credential)>;

    // `clock` and what `authenticate` refers to outlive this.
    Api(const base::Clock& clock, Authenticate authenticate);

    // Where resources add their endpoints, before the first handle().
    Router& router() { return router_; }
    const Router& router() const { return router_; }

    // Never throws: whatever fails becomes a response. A response to HEAD keeps its body, of which the
    // connection sends only the length.
    Task<http::Response> handle(http::Request request);

  private:
    // `caller`: who asks, once that is known.
    Task<http::Response> run(const http::Request& request, http::Caller& caller);
    Task<auth::Principal> identify(const http::Request& request);

    const base::Clock& clock_;
    Authenticate authenticate_;
    Router router_;
};

}  // namespace agentdb9::api
