// The API as one function from request to response: authenticate, check access, run the handler, turn errors
// into problems. Control executor.
#pragma once

#include <expected>
#include <functional>

#include "api/call_measures.hpp"
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
    // What was asked for, and what is answered. Lives until the recorder's task has ended.
    struct Answered {
        const http::Request& request;
        const Endpoint& endpoint;
        const std::optional<auth::Principal>& principal;
        const http::Response& response;
    };
    // Awaited before the answer goes out; must not throw.
    using Recorder = std::function<Task<>(const Answered&)>;
    using Authenticate = std::function<Task<std::expected<auth::Principal, auth::Failure>>(auth::Credential)>;

    // `clock` and what `authenticate` refers to outlive this.
    Api(const base::Clock& clock, Authenticate authenticate);

    // Told of every request that reached an endpoint. Before the first handle().
    void set_recorder(Recorder recorder) { recorder_ = std::move(recorder); }

    // Asked where an API token is for one workspace; without one, no project is such a token's. Before the
    // first handle().
    void set_is_project_of(IsProjectOf rule) { is_project_of_ = std::move(rule); }

    // Where resources add their endpoints, before the first handle().
    Router& router() { return router_; }
    const Router& router() const { return router_; }

    // Of requests that reached an endpoint.
    const CallMeasures& measures() const { return measures_; }

    // Never throws: whatever fails becomes a response. A response to HEAD keeps its body, of which the
    // connection sends only the length.
    Task<http::Response> handle(http::Request request);

  private:
    // Who asks for what, once that is known.
    struct Known {
        const Endpoint* endpoint = nullptr;
        std::optional<auth::Principal> principal;
    };
    Task<http::Response> run(const http::Request& request, Known& known);
    Task<auth::Principal> identify(const http::Request& request);
    static Task<> check_scope(Call& call, const Endpoint& endpoint);

    const base::Clock& clock_;
    Authenticate authenticate_;
    Recorder recorder_;
    IsProjectOf is_project_of_;
    Router router_;
    CallMeasures measures_;
};

}  // namespace agentdb9::api
