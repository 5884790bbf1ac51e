// Events of a followed log, and of what a container uses, as they are sent.
#pragma once

#include <string>

#include "services/log_events.hpp"
#include "services/usage_feed.hpp"

namespace agentdb9::api {

// `line` (with its id), `instance`, `left-out`, `interrupted` or `deleted`, as server-sent events.
std::string log_event_text(const services::LogEvent& event);
// `stats`, `instance`, `interrupted` or `deleted`.
std::string usage_event_text(const services::UsageEvent& event);

}  // namespace agentdb9::api
