#include "store/connection.hpp"

#include "base/error.hpp"

namespace agentdb9::store {
namespace {

[[noreturn]] void fail(std::size_t column, const char* expected) {
    throw base::Error(base::ErrorCode::kInternal, "database_value",
                      "The database holds a value that this server cannot read.")
        .with_internal("column " + std::to_string(column) + " is not " + expected);
}

}  // namespace

std::string Row::text(std::size_t column) const {
    if (const auto* text = std::get_if<std::string>(&values_.at(column))) return *text;
    fail(column, "text");
}

std::int64_t Row::integer(std::size_t column) const {
    if (const auto* integer = std::get_if<std::int64_t>(&values_.at(column))) return *integer;
    fail(column, "an integer");
}

bool Row::flag(std::size_t column) const {
    return integer(column) != 0;
}

std::optional<std::string> Row::optional_text(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}

std::optional<std::int64_t> Row::optional_integer(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

}  // namespace agentdb9::store
