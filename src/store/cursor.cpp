#include "store/cursor.hpp"

#include "base/crypto.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "store/codec.hpp"

namespace agentdb9::store {
namespace {

base::Error bad_cursor() {
    return base::invalid_field("cursor", "is not one that this list gave out: start again without it");
}

// Only what the database would accept in a comparison with such a column comes through.
std::optional<Value> read_value(const json::value& value, SortKey::Kind kind) {
    if (kind == SortKey::Kind::kFlag || kind == SortKey::Kind::kInteger) {
        const auto* integer = value.if_int64();
        if (integer == nullptr) return std::nullopt;
        if (kind == SortKey::Kind::kFlag && *integer != 0 && *integer != 1) return std::nullopt;
        return *integer;
    }
    const auto* text = value.if_string();
    if (text == nullptr) return std::nullopt;
    std::string plain(text->data(), text->size());
    const bool valid = kind == SortKey::Kind::kTime ? base::parse_time(plain).has_value()
                                                    : base::parse_uuid(plain).has_value();
    if (!valid) return std::nullopt;
    return plain;
}

}  // namespace

std::string make_cursor(const Row& row, std::size_t first_key_column, std::size_t key_count) {
    json::array values;
    for (std::size_t i = first_key_column; i < first_key_column + key_count; ++i) {
        std::visit(
            [&values](const auto& value) {
                if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
                    values.emplace_back(json::string(value));
                else
                    values.emplace_back(value);
            },
            row.value(i));
    }
    return base::base64url_encode(json::serialize(values));
}

std::vector<Value> read_cursor(std::string_view cursor, std::span<const SortKey> keys) {
    const auto text = base::base64url_decode(cursor);
    if (!text) throw bad_cursor();
    const auto parsed = base::parse_json_or(*text, nullptr);
    const auto* values = parsed.if_array();
    if (values == nullptr || values->size() != keys.size()) throw bad_cursor();
    std::vector<Value> result;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto value = read_value((*values)[i], keys[i].kind);
        if (!value) throw bad_cursor();
        result.push_back(std::move(*value));
    }
    return result;
}

std::string order_by(std::span<const SortKey> keys) {
    std::string sql;
    for (const auto& key : keys) {
        if (!sql.empty()) sql += ", ";
        sql.append("\"").append(key.column).append("\" DESC");
    }
    return sql;
}

std::string after_cursor(std::span<const SortKey> keys, std::size_t first_parameter) {
    std::string columns;
    std::string parameters;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        columns.append(i == 0 ? "" : ", ").append("\"").append(keys[i].column).append("\"");
        parameters.append(i == 0 ? "$" : ", $").append(std::to_string(first_parameter + i));
    }
    return "(" + columns + ") < (" + parameters + ")";
}

}  // namespace agentdb9::store
