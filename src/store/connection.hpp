// One database connection as the repositories see it. The seam between SQLite and PostgreSQL: SQL here is
// written once, in what both bear: `$1` parameters, quoted camelCase names, RFC 3339 text for times, 0/1 for
// flags, text for JSON and ids. A connection belongs to one thread at a time; its calls block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.hpp"

namespace agentdb9::store {

using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string>;

class Row {
  public:
    Row(std::vector<Value> values) : values_(std::move(values)) {}
    std::size_t size() const { return values_.size(); }
    bool is_null(std::size_t column) const {
        return std::holds_alternative<std::nullptr_t>(values_.at(column));
    }
    const Value& value(std::size_t column) const { return values_.at(column); }
    // Throw Error{kInternal, "database_value"} when the column holds something else.
    std::string text(std::size_t column) const;
    std::int64_t integer(std::size_t column) const;
    bool flag(std::size_t column) const;
    std::optional<std::string> optional_text(std::size_t column) const;
    std::optional<std::int64_t> optional_integer(std::size_t column) const;

  private:
    std::vector<Value> values_;
};

struct Result {
    std::vector<Row> rows;
    std::int64_t affected = 0;
};

class Connection {
  public:
    virtual ~Connection() = default;
    // Throws Error: kConflict "duplicate" for a violated unique rule (internal() names it), kUnavailable
    // "database_unavailable" when the database does not answer or is full, kInternal "database_error"
    // otherwise.
    virtual Result execute(std::string_view sql, const std::vector<Value>& parameters = {}) = 0;
    // Several statements without parameters (migrations).
    virtual void execute_script(std::string_view sql) = 0;
    // Changes nothing, and does not spoil the transaction when there is no such table.
    virtual bool has_table(std::string_view name) = 0;
    // Likewise; false also when there is no such table.
    virtual bool has_column(std::string_view table, std::string_view column) = 0;
    // Told to every server on this database once the transaction is committed (Store::subscribe). Where there
    // is only one server, nobody hears it.
    virtual void notify(const std::string& text) = 0;
    // The database's clock, which all servers on it share.
    virtual base::Time now() = 0;
    // Whether a session of that server's stands (Store::subscribe). True where the database cannot tell. What
    // it says of one that is away holds until the transaction ends: who comes back waits for that.
    virtual bool present(const std::string& server) = 0;
};

}  // namespace agentdb9::store
