#include "store/migrate.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.hpp"
#include "store/existing_data.hpp"
#include "store_migrations.hpp"

namespace agentdb9::store {
namespace {

// "0001_accounts.sql" → version 1, name "0001_accounts".
Migration from_file(const migrations::EmbeddedFile& file) {
    Migration migration{.name = std::string(file.name.substr(0, file.name.rfind('.'))), .sql = file.bytes};
    std::from_chars(file.name.data(), file.name.data() + file.name.size(), migration.version);
    return migration;
}

std::map<std::int64_t, std::string> applied(Connection& db) {
    std::map<std::int64_t, std::string> names;
    if (!db.has_table("agentdb9_migrations")) return names;
    for (const auto& row : db.execute(R"(SELECT "version", "name" FROM "agentdb9_migrations")").rows)
        names.emplace(row.integer(0), row.text(1));
    return names;
}

// "0012_breaking_ids"
bool is_breaking(std::string_view name) {
    return name.find("_breaking") != std::string_view::npos;
}

void refuse_newer(const std::map<std::int64_t, std::string>& applied,
                  const std::vector<Migration>& migrations) {
    for (const auto& [version, name] : applied) {
        const bool known =
            std::ranges::any_of(migrations, [&](const auto& own) { return own.version == version; });
        if (known || !is_breaking(name)) continue;
        const int newest = migrations.empty() ? 0 : migrations.back().version;
        throw base::conflict(
            "database_newer",
            "The database is at version " + std::to_string(version) + " (" + name +
                "), this program knows versions up to " + std::to_string(newest) +
                ": run the newer agentdb9 that wrote it, or restore a backup made before the upgrade.");
    }
}

// Returns the migration's notes.
std::vector<std::string> apply(Connection& db, const Migration& migration) {
    std::vector<std::string> notes;
    try {
        if (migration.before != nullptr) migration.before(db);
        db.execute_script(migration.sql);
        if (migration.after != nullptr) notes = migration.after(db);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::kUnavailable) throw;
        throw base::Error(base::ErrorCode::kInternal, "migration_failed",
                          "The migration " + migration.name +
                              " could not be applied; the database is as it was before it. The log says why.")
            .with_internal(error.internal());
    }
    db.execute(R"(INSERT INTO "agentdb9_migrations" ("version", "name", "appliedAt")
                  VALUES ($1, $2, CURRENT_TIMESTAMP))",
               {std::int64_t{migration.version}, migration.name});
    return notes;
}

}  // namespace

const std::vector<Migration>& known_migrations() {
    static const std::vector<Migration> all = [] {
        std::vector<Migration> migrations;
        for (const auto& file : migrations::embedded_files())
            migrations.push_back(from_file(file));
        std::ranges::sort(migrations, {}, &Migration::version);
        auto& catalogue = *std::ranges::find(migrations, 2, &Migration::version);
        catalogue.before = &complete_existing_tables;
        catalogue.after = &repair_existing_rows;
        return migrations;
    }();
    return all;
}

std::vector<Migration> missing_migrations(Connection& db, const std::vector<Migration>& migrations) {
    const auto done = applied(db);
    refuse_newer(done, migrations);
    std::vector<Migration> missing;
    for (const auto& migration : migrations) {
        if (!done.contains(migration.version)) missing.push_back(migration);
    }
    return missing;
}

Migrated apply_migrations(const RunTransaction& transact, const std::vector<Migration>& migrations) {
    Migrated done;
    for (bool more = true; more;) {
        std::string name;
        std::vector<std::string> notes;
        transact([&](Connection& db) {
            more = false;
            name.clear();
            // Asked again in each transaction: another server may be doing the same.
            const auto missing = missing_migrations(db, migrations);
            if (missing.empty()) return;
            db.execute(R"(CREATE TABLE IF NOT EXISTS "agentdb9_migrations" (
                              "version" integer PRIMARY KEY, "name" varchar NOT NULL,
                              "appliedAt" timestamp NOT NULL))");
            notes = apply(db, missing.front());
            name = missing.front().name;
            more = true;
        });
        if (!name.empty()) done.applied.push_back(std::move(name));
        std::ranges::move(notes, std::back_inserter(done.notes));
    }
    return done;
}

}  // namespace agentdb9::store
