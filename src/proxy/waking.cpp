// The part of the gateway that finds workspaces not running.
#include "proxy/gateway.hpp"
#include "proxy/refusals.hpp"
#include "proxy/starting_page.hpp"
#include "proxy/wake_rule.hpp"
#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

constexpr int kRetryAfterSeconds = 2;

std::string target_with(const http::RequestHead& head, const std::string& query) {
    std::string target = same_origin_path(head.path());
    if (!query.empty()) target.append("?").append(query);
    return target;
}

// The query that the application is meant to get.
std::string query_of(const http::RequestHead& head) {
    return starting_query(head) ? query_without_starting(head.query()) : std::string(head.query());
}

// The address of one of our own pages in its place.
std::string own_target(const http::RequestHead& head, std::string_view value) {
    auto query = query_of(head);
    if (!query.empty()) query += '&';
    return target_with(head, query.append(kStartingParameter).append("=").append(value));
}

Waiting waiting_for(const http::RequestHead& head, model::Awakening seen, base::Time since, base::Time now) {
    // The time needs no signature: who forges it waits longer or shorter, nothing else.
    return {.seen = std::move(seen),
            .open = target_with(head, query_of(head)),
            .look = own_target(head, std::to_string(base::to_unix_seconds(since))),
            .again = own_target(head, kStartAgain),
            .too_long = now - since > kLongestWait};
}

Refusal not_told(const std::string& message) {
    return {{503, "unavailable", message, {}}, kRetryAfterSeconds, {}};
}

Refusal start_failed(const model::Awakening& seen) {
    const auto seconds = std::to_string(*seen.pause_seconds);
    return {{503,
             "workspace_start_failed",
             "The workspace's last start failed: " + seen.note + " Requests start it again in " + seconds +
                 " s; start it yourself to try at once.",
             {}},
            seen.pause_seconds,
            {}};
}

Decision refused(const http::RequestHead& head, const Client& client, http::Problem problem) {
    if (client.origin == Origin::kApplications && is_page_request(head))
        return Reply{start_refused_page(problem, own_target(head, kStartAgain))};
    const bool passes = problem.status == 503;
    return Refusal{std::move(problem), passes ? std::optional(kRetryAfterSeconds) : std::nullopt, {}};
}

}  // namespace

Task<Decision> Gateway::wake(const http::RequestHead& head, const Client& client,
                             std::shared_ptr<const model::Route> route, bool insists) {
    auto answer = co_await worker_.questions().ask<Answer<model::Awakening>>(
        worker_.control().wake, route->owner, route->workspace, insists);
    if (!answer) co_return not_told("The server cannot start the workspace now. Try again.");
    if (!*answer) co_return refused(head, client, std::move(answer->error()));
    if (client.origin == Origin::kApplications && is_page_request(head)) {
        const auto now = worker_.wall_clock();
        co_return Reply{starting_page(waiting_for(head, std::move(**answer), now, now))};
    }
    if ((*answer)->pause_seconds) co_return start_failed(**answer);
    co_return Refusal{{503,
                       "workspace_starting",
                       "The workspace was stopped and is being started for this request. Send it again in a "
                       "moment.",
                       {}},
                      kRetryAfterSeconds,
                      {}};
}

Task<Decision> Gateway::tell_start(const http::RequestHead& head, std::shared_ptr<const model::Route> route,
                                   base::Time since) {
    const bool page = is_page_request(head);
    const auto now = worker_.wall_clock();
    if (route->state == model::RouteState::kReady) {
        if (!page) co_return Reply{ready_state()};
        co_return Redirect{303, waiting_for(head, {}, since, now).open, {}};
    }
    auto answer = co_await worker_.questions().ask<Answer<model::Awakening>>(worker_.control().look_at_start,
                                                                             route->owner, route->workspace);
    if (!answer) co_return not_told("The server cannot tell how far the start is. Try again.");
    if (!*answer) co_return Refusal{std::move(answer->error()), std::nullopt, {}};
    const auto waiting = waiting_for(head, std::move(**answer), since, now);
    co_return Reply{page ? starting_page(waiting) : starting_state(waiting)};
}

}  // namespace agentdb9::proxy
