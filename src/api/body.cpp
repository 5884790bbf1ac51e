#include "api/body.hpp"

#include <algorithm>
#include <sstream>

namespace agentdb9::api {
namespace {

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool has_control_characters(std::string_view text, TextKind kind) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool layout = c == '\t' || c == '\n' || c == '\r';
        if ((c < 0x20 && !(layout && kind == TextKind::kText)) || c == 0x7f) return true;
        // U+0080 to U+009F, in UTF-8.
        if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
    }
    return false;
}

std::string range_text(std::size_t min, std::size_t max) {
    return "must have " + std::to_string(min) + " to " + std::to_string(max) + " characters";
}

bool is_json(std::string_view media_type) {
    media_type = media_type.substr(0, media_type.find(';'));
    while (!media_type.empty() && (media_type.back() == ' ' || media_type.back() == '\t'))
        media_type.remove_suffix(1);
    return std::ranges::equal(media_type, std::string_view("application/json"),
                              [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// A field's name is the client's: a long one must not fill the answer. Cut between characters.
std::string shortened(std::string_view name) {
    constexpr std::size_t kMaxBytes = 100;
    if (name.size() <= kMaxBytes) return std::string(name);
    std::size_t end = kMaxBytes;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
        --end;
    return std::string(name.substr(0, end)) + "…";
}

constexpr std::size_t kMaxProblems = 20;

json::object read_object(const http::Request& request) {
    if (request.body.empty()) return {};
    const auto type = request.headers.get("content-type");
    if (type && !is_json(*type)) {
        throw base::Error(base::ErrorCode::kInvalid, "invalid_content_type",
                          "The request's body must be JSON: send it with 'Content-Type: application/json'.");
    }
    auto value = base::parse_json(request.body);
    if (!value.is_object()) {
        throw base::Error(base::ErrorCode::kInvalid, "invalid_body",
                          "The request's body must be one JSON object.");
    }
    return std::move(value.as_object());
}

}  // namespace

Body::Body(const http::Request& request) : object_(read_object(request)) {}
Body::Body(json::object object) : object_(std::move(object)) {}

std::string Body::required_text(std::string_view field, std::size_t min, std::size_t max, TextKind kind) {
    if (!has(field)) {
        known_.emplace(field);
        problem(field, "is required");
        return {};
    }
    return optional_text(field, min, max, kind).value_or(std::string());
}

std::optional<std::string> Body::optional_text(std::string_view field, std::size_t min, std::size_t max,
                                               TextKind kind) {
    const auto* value = find(field);
    if (!value) return std::nullopt;
    if (!value->is_string()) {
        problem(field, "must be text");
        return std::nullopt;
    }
    std::string text(value->as_string());
    const std::size_t length = count_characters(text);
    if (length < min || length > max) {
        problem(field, range_text(min, max));
        return std::nullopt;
    }
    if (has_control_characters(text, kind)) {
        problem(field, "must not contain control characters");
        return std::nullopt;
    }
    return text;
}

std::string Body::required_secret(std::string_view field, std::size_t max_bytes) {
    return required_text(field, 0, max_bytes);
}

std::optional<std::string> Body::optional_secret(std::string_view field, std::size_t max_bytes) {
    return optional_text(field, 0, max_bytes);
}

std::optional<bool> Body::optional_bool(std::string_view field) {
    const auto* value = find(field);
    if (!value) return std::nullopt;
    if (value->is_bool()) return value->as_bool();
    problem(field, "must be true or false");
    return std::nullopt;
}

std::optional<std::int64_t> Body::optional_integer(std::string_view field, std::int64_t min,
                                                   std::int64_t max) {
    const auto* value = find(field);
    if (!value) return std::nullopt;
    if (value->is_int64() && value->as_int64() >= min && value->as_int64() <= max) return value->as_int64();
    problem(field, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
}

std::optional<double> Body::optional_number(std::string_view field, double min, double max) {
    const auto* value = find(field);
    if (!value) return std::nullopt;
    const auto number = value->is_number() ? value->to_number<double>() : min - 1;
    if (number >= min && number <= max) return number;
    std::ostringstream text;
    text << "must be a number from " << min << " to " << max;
    problem(field, text.str());
    return std::nullopt;
}

std::optional<json::object> Body::optional_object(std::string_view field, std::size_t max_bytes) {
    const auto* value = find(field);
    if (!value) return std::nullopt;
    if (!value->is_object()) {
        problem(field, "must be an object");
        return std::nullopt;
    }
    if (base::to_text(*value).size() > max_bytes) {
        problem(field, "must not be larger than " + std::to_string(max_bytes) + " bytes");
        return std::nullopt;
    }
    return value->as_object();
}

std::optional<json::array> Body::optional_array(std::string_view field, std::size_t max_bytes) {
    const auto* value = find(field);
    if (!value) return std::nullopt;
    if (!value->is_array()) {
        problem(field, "must be a list");
        return std::nullopt;
    }
    if (base::to_text(*value).size() > max_bytes) {
        problem(field, "must not be larger than " + std::to_string(max_bytes) + " bytes");
        return std::nullopt;
    }
    return value->as_array();
}

std::optional<model::Time> Body::optional_time(std::string_view field) {
    auto text = optional_text(field, 0, 100);
    if (!text) return std::nullopt;
    auto time = base::parse_time(*text);
    if (!time) problem(field, "must be a time as in RFC 3339, such as 2027-01-31T12:00:00Z");
    return time;
}

bool Body::has(std::string_view field) const {
    const auto* value = object_.if_contains(field);
    return value != nullptr && !value->is_null();
}

bool Body::is_null(std::string_view field) const {
    const auto* value = object_.if_contains(field);
    return value != nullptr && value->is_null();
}

void Body::problem(std::string_view field, std::string_view problem) {
    if (problems_.size() < kMaxProblems) problems_.push_back({shortened(field), std::string(problem)});
}

const json::value* Body::find(std::string_view field) {
    known_.emplace(field);
    return has(field) ? object_.if_contains(field) : nullptr;
}

void Body::refuse_missing(std::string_view field) {
    if (std::ranges::none_of(problems_, [&](const auto& known) { return known.field == field; })) {
        problem(field, "is required");
    }
    refuse();
}

void Body::finish() {
    for (const auto& entry : object_) {
        if (!known_.contains(std::string_view(entry.key())))
            problem(entry.key(), "is not a field of this call");
    }
    if (!problems_.empty()) refuse();
}

void Body::refuse() const {
    std::string sentence;
    for (const auto& each : problems_) {
        if (!sentence.empty()) sentence += "; ";
        sentence += "'" + each.field + "' " + each.problem;
    }
    base::Error error(base::ErrorCode::kInvalid, "invalid_field",
                      "The request's body is wrong: " + sentence + ".");
    for (const auto& each : problems_)
        std::move(error).with_detail(each);
    throw error;
}

}  // namespace agentdb9::api
