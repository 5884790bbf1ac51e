// The migrations that this program carries (migrations/NNNN_name.sql), and which of them a database has. Its
// table agentdb9_migrations says so. A migration adds, and takes nothing away, so that the program of the
// version before works on its result: to roll back is to start that one, and both may run on one database
// during an upgrade. One that cannot be so says "breaking" in its name, NNNN_breaking_name. Blocks; on the
// caller's thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/connection.hpp"
#include "store/store.hpp"

namespace agentdb9::store {

struct Migration {
    int version = 0;
    std::string name;  // "0001_accounts"
    std::string_view sql;
    // What SQL cannot say in both databases; run before and after the script, in its transaction. The second
    // returns what an operator should know. Null: nothing.
    void (*before)(Connection&) = nullptr;
    std::vector<std::string> (*after)(Connection&) = nullptr;
};

// In order of their versions. The texts live as long as the program.
const std::vector<Migration>& known_migrations();

// Runs its argument as one write transaction of its own; what that throws rolls it back and is thrown on.
using RunTransaction = std::function<void(const std::function<void(Connection&)>&)>;

// Applies those of `migrations` that are missing, each in a transaction of its own.
// Throws Error{kConflict, "database_newer"} when the database has a breaking one that is not among them, and
// Error{kInternal, "migration_failed"} naming the one that failed; what was applied before it stays.
Migrated apply_migrations(const RunTransaction& transact,
                          const std::vector<Migration>& migrations = known_migrations());

// Names of those that apply_migrations() would apply. Throws "database_newer" likewise.
std::vector<Migration> missing_migrations(Connection& db,
                                          const std::vector<Migration>& migrations = known_migrations());

}  // namespace agentdb9::store
