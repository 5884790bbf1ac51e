// What a browser shows while a workspace is started for it: a page that follows the start and ends at the
// application, or says why there is none. It needs nothing but itself, and no script. Pure; any thread.
#pragma once

#include <string>

#include "http/message.hpp"
#include "http/problem.hpp"
#include "model/awakening.hpp"

namespace agentdb9::proxy {

// Who waits longer than that is asked whether to wait on; no page asks for ever.
inline constexpr std::chrono::minutes kLongestWait{15};

struct Waiting {
    model::Awakening seen;
    std::string open;       // what was asked for: path and query
    std::string look;       // the same, of our own page
    std::string again;      // the same, to ask for a start
    bool too_long = false;  // kLongestWait is over
};

// 503: the page that was asked for is not there yet. It looks again by itself only while there is something
// to wait for.
http::Response starting_page(const Waiting& waiting);
// The same for the page's script: `{success, data: {state, text, percent, goesOn}}`.
http::Response starting_state(const Waiting& waiting);
// The application is there: what the script hears then.
http::Response ready_state();
// A start that was refused, with a way to try again.
http::Response start_refused_page(const http::Problem& problem, const std::string& again);

}  // namespace agentdb9::proxy
