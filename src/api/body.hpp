// Reads a request's JSON object strictly: every field that a call knows is asked for by name and kind, and
// finish() refuses whatever was not asked for. Problems are collected, so that a client hears of all at once.
//
//   Body body(call.request);
//   auto name = body.required_text("name", 1, 100);
//   auto project = body.optional_id<ProjectId>("projectId");
//   body.finish();
//
// Every getter but required_id and required_enum goes on after a problem with an empty value: nothing may be
// done with the values before finish(). `null` means absent. Errors are Error{kInvalid} (400).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "http/message.hpp"
#include "model/entities.hpp"

namespace agentdb9::api {

enum class TextKind {
    kLine,  // no control characters at all
    kText,  // tabs and line ends are welcome (descriptions)
};

class Body {
  public:
    // An empty body reads as {}. Throws for another content type than JSON ("invalid_content_type"), for text
    // that is no JSON ("invalid_json") and for anything but an object ("invalid_body").
    explicit Body(const http::Request& request);
    explicit Body(json::object object);

    // Lengths are in characters (Unicode code points).
    std::string required_text(std::string_view field, std::size_t min, std::size_t max,
                              TextKind kind = TextKind::kLine);
    std::optional<std::string> optional_text(std::string_view field, std::size_t min, std::size_t max,
                                             TextKind kind = TextKind::kLine);
    // A password: any characters but control ones, at most `max_bytes`; its rules are the service's.
    std::string required_secret(std::string_view field, std::size_t max_bytes = 1024);
    std::optional<std::string> optional_secret(std::string_view field, std::size_t max_bytes = 1024);
    std::optional<bool> optional_bool(std::string_view field);
    std::optional<std::int64_t> optional_integer(std::string_view field, std::int64_t min, std::int64_t max);
    std::optional<double> optional_number(std::string_view field, double min, double max);
    // Serialized, at most `max_bytes`.
    std::optional<json::object> optional_object(std::string_view field, std::size_t max_bytes);
    std::optional<json::array> optional_array(std::string_view field, std::size_t max_bytes);
    // As it stands, for what may be of several kinds; null when absent.
    const json::value* raw(std::string_view field) { return find(field); }
    // RFC 3339.
    std::optional<model::Time> optional_time(std::string_view field);

    template <class Id>
    std::optional<Id> optional_id(std::string_view field) {
        auto text = optional_text(field, 0, 100);
        if (!text) return std::nullopt;
        auto id = Id::parse(*text);
        if (!id) problem(field, "must be a UUID");
        return id;
    }
    // Throws at once: there is no empty id to go on with.
    template <class Id>
    Id required_id(std::string_view field) {
        auto id = optional_id<Id>(field);
        if (!id) refuse_missing(field);
        return *id;
    }

    // One of the texts that model::enum_from_text knows.
    template <class Enum>
    std::optional<Enum> optional_enum(std::string_view field) {
        auto text = optional_text(field, 0, 100);
        if (!text) return std::nullopt;
        auto value = model::enum_from_text<Enum>(*text);
        if (!value) problem(field, "is not one of the allowed values");
        return value;
    }
    template <class Enum>
    Enum required_enum(std::string_view field) {
        auto value = optional_enum<Enum>(field);
        if (!value) refuse_missing(field);
        return *value;
    }

    // Present, and null: for the few fields where that is something else than absent.
    bool is_null(std::string_view field) const;
    // Present and not null.
    bool has(std::string_view field) const;
    // Marks a field as known without reading it.
    void ignore(std::string_view field) { known_.emplace(field); }
    // A problem that the caller found.
    void problem(std::string_view field, std::string_view problem);

    // Throws Error{kInvalid, "invalid_field"} with all that was wrong, fields that nobody asked for included.
    void finish();

  private:
    const json::value* find(std::string_view field);
    [[noreturn]] void refuse_missing(std::string_view field);
    [[noreturn]] void refuse() const;

    json::object object_;
    std::set<std::string, std::less<>> known_;
    std::vector<base::FieldProblem> problems_;
};

}  // namespace agentdb9::api
