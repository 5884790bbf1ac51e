// One table and the entity that its rows are. The columns are listed once, so that insert, select and update
// cannot drift apart:
//
//   static const Table<User> table("users", blank, {key<&User::id>("id"), column<&User::email>("email"), …});
//
// Immutable after construction; any thread. The calls that take a Connection block.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/column.hpp"
#include "store/cursor.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {

template <class Entity>
class Table {
  public:
    using Parameters = std::vector<Value>;

    // `blank` holds what a column that cannot be understood reads as.
    Table(std::string_view name, Entity blank, std::vector<Column<Entity>> columns)
        : name_("\"" + std::string(name) + "\""), blank_(std::move(blank)), columns_(std::move(columns)) {
        std::string values;
        std::string changes;
        std::string condition;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string column_name = "\"" + std::string(columns_[i].name) + "\"";
            const std::string parameter = "$" + std::to_string(i + 1);
            names_ += (i == 0 ? "" : ", ") + column_name;
            values += (i == 0 ? "" : ", ") + parameter;
            if (columns_[i].kind == Column<Entity>::Kind::kFixed) continue;
            // Numbered by their own count: PostgreSQL wants every parameter used.
            const std::string assignment = column_name + " = $" + std::to_string(++written_);
            if (columns_[i].kind == Column<Entity>::Kind::kKey)
                condition = assignment;
            else
                changes += (changes.empty() ? "" : ", ") + assignment;
        }
        insert_ = "INSERT INTO " + name_ + " (" + names_ + ") VALUES (" + values + ")";
        update_ = "UPDATE " + name_ + " SET " + changes + " WHERE " + condition;
    }

    void insert(Connection& db, const Entity& entity) const { db.execute(insert_, values_of(entity)); }

    void update(Connection& db, const Entity& entity) const {
        Parameters parameters;
        parameters.reserve(written_);
        for (const auto& column : columns_) {
            if (column.kind != Column<Entity>::Kind::kFixed) parameters.push_back(column.encode(entity));
        }
        db.execute(update_, parameters);
    }

    // `rest`: "WHERE … ORDER BY …".
    std::vector<Entity> select(Connection& db, std::string_view rest,
                               const Parameters& parameters = {}) const {
        return entities(
            db.execute("SELECT " + names_ + " FROM " + name_ + " " + std::string(rest), parameters));
    }
    std::optional<Entity> select_one(Connection& db, std::string_view rest,
                                     const Parameters& parameters) const {
        return first(select(db, std::string(rest) + " LIMIT 1", parameters));
    }

    // The rows for which `condition` holds, sorted downwards by `keys`.
    Listing<Entity> page(Connection& db, std::string_view condition, Parameters parameters,
                         std::span<const SortKey> keys, const Page& page) const {
        std::string sql = "SELECT " + names_;
        for (const auto& sort_key : keys)
            sql.append(", \"").append(sort_key.column).append("\"");
        sql += " FROM " + name_ + " WHERE " + std::string(condition);
        if (page.cursor) {
            sql += " AND " + after_cursor(keys, parameters.size() + 1);
            for (auto& value : read_cursor(*page.cursor, keys))
                parameters.push_back(std::move(value));
        }
        // One more than asked for tells whether there is a next page.
        const std::size_t limit = std::clamp<std::size_t>(page.limit, 1, kMostRows);
        parameters.emplace_back(static_cast<std::int64_t>(limit + 1));
        sql += " ORDER BY " + order_by(keys) + " LIMIT $" + std::to_string(parameters.size());

        auto result = db.execute(sql, parameters);
        Listing<Entity> listing;
        if (result.rows.size() > limit) {
            result.rows.pop_back();
            listing.next = make_cursor(result.rows.back(), columns_.size(), keys.size());
        }
        listing.rows = entities(result);
        return listing;
    }

    // `"a", "b"`, for statements of the repositories' own.
    const std::string& names() const { return names_; }
    const std::string& insert_sql() const { return insert_; }
    std::size_t column_count() const { return columns_.size(); }

    Parameters values_of(const Entity& entity) const {
        Parameters parameters;
        parameters.reserve(columns_.size());
        for (const auto& column : columns_)
            parameters.push_back(column.encode(entity));
        return parameters;
    }
    std::vector<Entity> entities(const Result& result) const {
        std::vector<Entity> entities;
        entities.reserve(result.rows.size());
        for (const auto& row : result.rows) {
            auto& entity = entities.emplace_back(blank_);
            for (std::size_t i = 0; i < columns_.size(); ++i)
                columns_[i].decode(row.value(i), entity);
        }
        return entities;
    }
    static std::optional<Entity> first(std::vector<Entity> entities) {
        if (entities.empty()) return std::nullopt;
        return std::move(entities.front());
    }

  private:
    static constexpr std::size_t kMostRows = 1'000'000;

    std::string name_;
    Entity blank_;
    std::vector<Column<Entity>> columns_;
    std::string names_;
    std::string insert_;
    std::string update_;
    std::size_t written_ = 0;
};

}  // namespace agentdb9::store
