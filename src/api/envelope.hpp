// The shapes of success. Every response of the API is JSON and is not to be stored by caches.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "http/message.hpp"

namespace agentdb9::api {

// {"success":true,"data":…,"message"?:"…"}, 200.
http::Response ok(json::value data, std::string_view message = {});
// The same with 201.
http::Response created(json::value data, std::string_view message = {});
// The same with 202: the operation goes on.
http::Response accepted(json::value data, std::string_view message = {});
// One page of a list; "nextCursor" beside "data" when there are more rows.
http::Response listing(json::array rows, const std::optional<std::string>& next_cursor);

// A body without the envelope.
http::Response json_response(int status, const json::value& body);
http::Response json_text_response(int status, std::string body);
// 204.
http::Response no_content();

}  // namespace agentdb9::api
