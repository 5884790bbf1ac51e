// How a value of the model lies in a column. Reading is lenient, since an earlier backend checked little:
// what cannot be understood decodes to nothing, and the caller falls back. Pure; any thread.
#pragma once

#include <charconv>
#include <concepts>
#include <limits>
#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "model/backup.hpp"
#include "store/connection.hpp"

namespace agentdb9::store {

// encode(value) → what to write; decode(column) → the value, absent for null and for what is none.
template <class T>
struct Codec;

template <>
struct Codec<std::string> {
    static Value encode(const std::string& text) { return text; }
    static std::optional<std::string> decode(const Value& value) {
        if (const auto* text = std::get_if<std::string>(&value)) return *text;
        if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
        if (const auto* number = std::get_if<double>(&value)) return std::to_string(*number);
        return std::nullopt;
    }
};

template <>
struct Codec<std::int64_t> {
    static Value encode(std::int64_t integer) { return integer; }
    static std::optional<std::int64_t> decode(const Value& value) {
        if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return std::nullopt;
        std::int64_t integer = 0;
        const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), integer);
        if (ec != std::errc() || end != text->data() + text->size()) return std::nullopt;
        return integer;
    }
};

template <>
struct Codec<int> {
    static Value encode(int integer) { return std::int64_t{integer}; }
    static std::optional<int> decode(const Value& value) {
        const auto integer = Codec<std::int64_t>::decode(value);
        if (!integer || !std::in_range<int>(*integer)) return std::nullopt;
        return static_cast<int>(*integer);
    }
};

template <>
struct Codec<bool> {
    static Value encode(bool flag) { return std::int64_t{flag}; }
    static std::optional<bool> decode(const Value& value) {
        if (const auto integer = Codec<std::int64_t>::decode(value)) return *integer != 0;
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return std::nullopt;
        if (*text == "t" || *text == "true") return true;
        if (*text == "f" || *text == "false") return false;
        return std::nullopt;
    }
};

template <>
struct Codec<base::Time> {
    static Value encode(base::Time time) { return base::format_time(time); }
    static std::optional<base::Time> decode(const Value& value) {
        const auto* text = std::get_if<std::string>(&value);
        return text == nullptr ? std::nullopt : base::parse_time(*text);
    }
};

template <>
struct Codec<json::object> {
    static Value encode(const json::object& object) { return json::serialize(object); }
    static std::optional<json::object> decode(const Value& value) {
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return std::nullopt;
        auto parsed = base::parse_json_or(*text, nullptr);
        if (!parsed.is_object()) return std::nullopt;
        return std::move(parsed.get_object());
    }
};

template <>
struct Codec<json::array> {
    static Value encode(const json::array& array) { return json::serialize(array); }
    static std::optional<json::array> decode(const Value& value) {
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr) return std::nullopt;
        auto parsed = base::parse_json_or(*text, nullptr);
        if (!parsed.is_array()) return std::nullopt;
        return std::move(parsed.get_array());
    }
};

// None at all is null.
template <>
struct Codec<model::SomeLimits> {
    static Value encode(const model::SomeLimits& limits) {
        return limits.empty() ? Value(nullptr) : Value(json::serialize(model::to_json(limits)));
    }
    static std::optional<model::SomeLimits> decode(const Value& value) {
        const auto object = Codec<json::object>::decode(value);
        if (!object) return std::nullopt;
        return model::some_limits_from(*object);
    }
};

template <class Tag>
struct Codec<base::Id<Tag>> {
    static Value encode(const base::Id<Tag>& id) { return id.str(); }
    static std::optional<base::Id<Tag>> decode(const Value& value) {
        const auto* text = std::get_if<std::string>(&value);
        return text == nullptr ? std::nullopt : base::Id<Tag>::parse(*text);
    }
};

template <class Enum>
    requires std::is_enum_v<Enum>
struct Codec<Enum> {
    static Value encode(Enum value) { return std::string(model::to_text(value)); }
    static std::optional<Enum> decode(const Value& value) {
        const auto* text = std::get_if<std::string>(&value);
        return text == nullptr ? std::nullopt : model::enum_from_text<Enum>(*text);
    }
};

template <class T>
Value encode(const T& value) {
    return Codec<T>::encode(value);
}
template <class T>
Value encode(const std::optional<T>& value) {
    return value ? Codec<T>::encode(*value) : Value(nullptr);
}

// Leaves `out` as it is, its sensible default, when the column cannot be understood.
template <class T>
void decode(const Value& value, T& out) {
    if (auto decoded = Codec<T>::decode(value)) out = std::move(*decoded);
}
template <class T>
void decode(const Value& value, std::optional<T>& out) {
    out = Codec<T>::decode(value);
}

// Nobody's id: stands where a row names none.
template <class Id>
Id nil_id() {
    return *Id::parse("00000000-0000-0000-0000-000000000000");
}

// The first column of each row, where it holds an id.
template <class Id>
std::vector<Id> read_ids(const Result& result) {
    std::vector<Id> ids;
    for (const auto& row : result.rows) {
        if (auto id = Codec<Id>::decode(row.value(0))) ids.push_back(*id);
    }
    return ids;
}

}  // namespace agentdb9::store
