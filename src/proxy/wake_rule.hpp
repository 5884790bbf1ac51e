// Which requests start a stopped workspace, and the query parameter of the page that is shown meanwhile. A
// page that is open in some tab asks again and again by itself; it must not undo its user's stop. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "http/head.hpp"

namespace agentdb9::proxy {

// A browser (or what says of itself that it shows pages) asks for a page to be shown, not for a part of one.
bool is_page_request(const http::RequestHead& head);

// The caller is authenticated and the workspace is theirs. `by_cookie`: by the cookie of the application,
// which browsers add to whatever a page asks for; else by a token that somebody put there for this request.
bool may_wake(const http::RequestHead& head, bool by_cookie);

// Another page leads or sends the browser here: one of a neighbouring host, too, whose requests carry the
// same cookies. Browsers tell to https and localhost only.
bool comes_from_elsewhere(const http::RequestHead& head);

// Our own pages ask by a parameter of the query, in a GET: "agentdb9_starting={unix seconds}" how far the
// start is that somebody has waited for since then, which wakes nothing; "agentdb9_starting=again" is the
// link by which people ask for a start, also within a frame; where each application has an origin, on our own
// page only. Neither reaches an application.
inline constexpr std::string_view kStartingParameter = "agentdb9_starting";
inline constexpr std::string_view kStartAgain = "again";
struct StartingQuery {
    bool again = false;
    base::Time since;  // long ago where that was no time, or `again`
};
std::optional<StartingQuery> starting_query(const http::RequestHead& head);
std::string query_without_starting(std::string_view query);

}  // namespace agentdb9::proxy
