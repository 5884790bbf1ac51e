// What the data plane asks of the control plane. Each function is called, and its task runs, on `executor`;
// arguments and results cross the threads by value. A task that throws is answered to the client as 500
// `internal_error`.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/principal.hpp"
#include "base/async.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "model/awakening.hpp"

namespace agentdb9::proxy {

// What a redeemed ticket is worth.
struct ApplicationCookie {
    std::string value;  // characters of a cookie-octet (RFC 6265 section 4.1.1)
    base::Time expires_at;
};

template <class T>
using Answer = std::expected<T, http::Problem>;

struct ControlPlane {
    asio::any_io_executor executor;
    // Whether the body of such a request is handed up as a stream. Called on the workers' threads.
    std::function<bool(std::string_view method, std::string_view path)> streams_body =
        [](std::string_view, std::string_view) { return false; };
    // Whether such a request is given up, and its work cancelled, when its client goes before it is answered.
    // Called on the workers' threads.
    std::function<bool(std::string_view method, std::string_view path)> ends_with_client =
        [](std::string_view, std::string_view) { return false; };
    // A request that is not for an application, with its whole body, and its response.
    std::function<Task<http::Response>(http::Request)> api;
    // The same from the operator's socket, whose owner may do everything.
    std::function<Task<http::Response>(http::Request)> operator_api;
    std::function<Task<Answer<auth::Principal>>(auth::Credential)> authenticate;
    // Uses the ticket up. A bad or used one: 401 `ticket_invalid`.
    std::function<Task<Answer<ApplicationCookie>>(std::string ticket, base::WorkspaceId, int port)>
        redeem_ticket;
    // Starts a stopped workspace of the user because its application was asked for, and tells how far that
    // is. A start that is refused is a Problem. Unless somebody `insists`, by the link of our page, one that
    // failed to start a moment ago is left alone: its state says so, with what is left of the pause.
    std::function<Task<Answer<model::Awakening>>(base::UserId, base::WorkspaceId, bool insists)> wake;
    // How far it is, without changing anything.
    std::function<Task<Answer<model::Awakening>>(base::UserId, base::WorkspaceId)> look_at_start;
};

}  // namespace agentdb9::proxy
