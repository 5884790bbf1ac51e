#include "store/transaction.hpp"

namespace agentdb9::store {

std::optional<std::string> Settings::get(const std::string& name) {
    const auto result = db_.execute(R"(SELECT "value" FROM "agentdb9_settings" WHERE "name" = $1)", {name});
    if (result.rows.empty()) return std::nullopt;
    return result.rows.front().text(0);
}

void Settings::set(const std::string& name, const std::string& value) {
    db_.execute(R"(INSERT INTO "agentdb9_settings" ("name", "value") VALUES ($1, $2)
                   ON CONFLICT ("name") DO UPDATE SET "value" = excluded."value")",
                {name, value});
}

void Settings::remove(const std::string& name) {
    db_.execute(R"(DELETE FROM "agentdb9_settings" WHERE "name" = $1)", {name});
}

}  // namespace agentdb9::store
