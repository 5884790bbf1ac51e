// JSON values (Boost.JSON) and the strict way of reading them. Pure; any thread.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace agentdb9 {
namespace json = boost::json;
}

namespace agentdb9::base {

// Parses RFC 8259 text of at most `max_depth` nested levels, and nothing after it. Throws Error{kInvalid,
// "invalid_json"}.
json::value parse_json(std::string_view text, std::size_t max_depth = 32);
// The same for text that this program wrote itself; anything else in its place is `fallback`.
json::value parse_json_or(std::string_view text, json::value fallback);

std::string to_text(const json::value& value);

}  // namespace agentdb9::base
