#include "base/json.hpp"

#include "base/error.hpp"

namespace agentdb9::base {

json::value parse_json(std::string_view text, std::size_t max_depth) {
    json::parse_options options;
    options.max_depth = max_depth;
    boost::system::error_code ec;
    auto value = json::parse(text, ec, {}, options);
    if (ec) {
        throw Error(ErrorCode::kInvalid, "invalid_json",
                    "The request's body is not valid JSON: send one JSON object, UTF-8 encoded.")
            .with_internal(ec.message());
    }
    return value;
}

json::value parse_json_or(std::string_view text, json::value fallback) {
    boost::system::error_code ec;
    auto value = json::parse(text, ec);
    return ec ? fallback : value;
}

std::string to_text(const json::value& value) {
    return json::serialize(value);
}

}  // namespace agentdb9::base
