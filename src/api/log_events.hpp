// Events of a followed log as they are sent.
#pragma once

#include <string>

#include "services/log_events.hpp"

namespace agentdb9::api {

// `line` (with its id), `instance`, `left-out`, `interrupted` or `deleted`, as server-sent events.
std::string log_event_text(const services::LogEvent& event);

}  // namespace agentdb9::api
