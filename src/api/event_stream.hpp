// Server-sent events (WHATWG HTML, section 9.2).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/async.hpp"
#include "base/json.hpp"
#include "http/message.hpp"

namespace agentdb9::api {

// One event. Serialized JSON has no line ends, and neither may `id` have one; empty: it has none.
std::string event_text(std::string_view event, const json::value& data, std::string_view id = {});

// A stream of what `next` gives: whole events; an empty text where nothing has happened for a while; nothing
// at the end. Called on the control executor.
http::Response event_stream(std::function<Task<std::optional<std::string>>()> next);

}  // namespace agentdb9::api
