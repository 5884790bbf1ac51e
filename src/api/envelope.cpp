#include "api/envelope.hpp"

namespace agentdb9::api {
namespace {

http::Response success(int status, json::value data, std::string_view message) {
    json::object body{{"success", true}, {"data", std::move(data)}};
    if (!message.empty()) body["message"] = message;
    return json_response(status, body);
}

}  // namespace

http::Response ok(json::value data, std::string_view message) {
    return success(200, std::move(data), message);
}

http::Response created(json::value data, std::string_view message) {
    return success(201, std::move(data), message);
}

http::Response accepted(json::value data, std::string_view message) {
    return success(202, std::move(data), message);
}

http::Response listing(json::array rows, const std::optional<std::string>& next_cursor) {
    json::object body{{"success", true}, {"data", std::move(rows)}};
    if (next_cursor) body["nextCursor"] = *next_cursor;
    return json_response(200, body);
}

http::Response json_response(int status, const json::value& body) {
    return json_text_response(status, base::to_text(body));
}

http::Response json_text_response(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.headers.set("Content-Type", "application/json; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    response.body = std::move(body);
    return response;
}

http::Response no_content() {
    http::Response response;
    response.status = 204;
    response.headers.set("Cache-Control", "no-store");
    return response;
}

}  // namespace agentdb9::api
