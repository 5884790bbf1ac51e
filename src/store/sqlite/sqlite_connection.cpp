#include "store/sqlite/sqlite_connection.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"

namespace agentdb9::store {
namespace {

// Leaves a kept statement as it was found, whichever way its use ends.
class Use {
  public:
    explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

  private:
    sqlite3_stmt* statement_;
};

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value))
        return sqlite3_bind_int64(statement, index, *integer);
    if (const auto* number = std::get_if<double>(&value))
        return sqlite3_bind_double(statement, index, *number);
    // The same text as PostgreSQL would take.
    if (const auto* text = std::get_if<std::string>(&value)) {
        const auto stored = base::as_storable_text(*text);
        return sqlite3_bind_text64(statement, index, stored.data(), stored.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, index);
}

// SQLite takes `$2` for a name and numbers names as they appear; we mean the number.
int bind_all(sqlite3_stmt* statement, const std::vector<Value>& parameters) {
    for (int index = 1; index <= sqlite3_bind_parameter_count(statement); ++index) {
        const char* name = sqlite3_bind_parameter_name(statement, index);
        if (name == nullptr || name[0] != '$') return SQLITE_MISUSE;
        const std::string_view digits(name + 1);
        std::size_t number = 0;
        const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (ec != std::errc() || end != digits.data() + digits.size()) return SQLITE_MISUSE;
        if (number < 1 || number > parameters.size()) return SQLITE_RANGE;
        if (const int code = bind_value(statement, index, parameters[number - 1]); code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

Value read_value(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_NULL:
            return nullptr;
        case SQLITE_INTEGER:
            return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
        case SQLITE_FLOAT:
            return sqlite3_column_double(statement, column);
        default: {
            const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
            return bytes == nullptr ? std::string() : std::string(bytes, size);
        }
    }
}

Row read_row(sqlite3_stmt* statement) {
    std::vector<Value> values;
    const int count = sqlite3_column_count(statement);
    values.reserve(static_cast<std::size_t>(count));
    for (int column = 0; column < count; ++column)
        values.push_back(read_value(statement, column));
    return Row(std::move(values));
}

// Errors of the file, the disk or another process's lock: not of the statement.
bool is_outage(int primary) {
    switch (primary) {
        case SQLITE_ABORT:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_READONLY:
        case SQLITE_IOERR:
        case SQLITE_CORRUPT:
        case SQLITE_FULL:
        case SQLITE_CANTOPEN:
        case SQLITE_PROTOCOL:
        case SQLITE_NOLFS:
        case SQLITE_PERM:
        case SQLITE_NOTADB:
            return true;
        default:
            return false;
    }
}

bool passes_by_itself(int primary) {
    return primary == SQLITE_ABORT || primary == SQLITE_BUSY || primary == SQLITE_LOCKED ||
           primary == SQLITE_FULL;
}

int open_flags(SqliteAccess access) {
    // No mutex: a connection is used by one thread at a time. A reader, too, is opened for writing, since
    // only so can it go on after a crash of the writer (it has to rebuild the WAL's index); `query_only`
    // holds it back.
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE;
    return access == SqliteAccess::kCreate ? flags | SQLITE_OPEN_CREATE : flags;
}

}  // namespace

SqliteConnection::SqliteConnection(const std::string& file, SqliteAccess access,
                                   std::chrono::milliseconds busy)
    : read_only_(access == SqliteAccess::kRead) {
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &db, open_flags(access), nullptr);
    db_.reset(db);
    if (code != SQLITE_OK) fail(code, "open");
    sqlite3_busy_timeout(db, static_cast<int>(busy.count()));
    execute_script("PRAGMA foreign_keys = ON; PRAGMA cache_size = -1024");
    // A reader leaves the mode as it is: it may be looking at a database that it must not change.
    if (!read_only_) execute_script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    if (read_only_) execute_script("PRAGMA query_only = ON");
}

SqliteConnection::~SqliteConnection() {
    statements_.clear();
}

Result SqliteConnection::execute(std::string_view sql, const std::vector<Value>& parameters) {
    if (spoiled_) fail(SQLITE_ABORT, sql);
    sqlite3_stmt* statement = prepared(sql);
    const Use use(statement);
    if (const int code = bind_all(statement, parameters); code != SQLITE_OK) fail(code, sql);
    Result result;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        result.rows.push_back(read_row(statement));
    if (code != SQLITE_DONE) fail(code, sql);
    if (sqlite3_stmt_readonly(statement) == 0) result.affected = sqlite3_changes64(db_.get());
    return result;
}

void SqliteConnection::execute_script(std::string_view sql) {
    const std::string text(sql);
    if (const int code = sqlite3_exec(db_.get(), text.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
        fail(code, sql);
}

bool SqliteConnection::has_table(std::string_view name) {
    return !execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", {std::string(name)})
                .rows.empty();
}

bool SqliteConnection::has_column(std::string_view table, std::string_view column) {
    return !execute("SELECT 1 FROM pragma_table_info($1) WHERE name = $2",
                    {std::string(table), std::string(column)})
                .rows.empty();
}

base::Time SqliteConnection::now() {
    return std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
}

void SqliteConnection::rollback() noexcept {
    spoiled_ = false;
    if (sqlite3_get_autocommit(db_.get()) != 0) return;
    if (sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr) != SQLITE_OK) broken_ = true;
}

std::string SqliteConnection::save() {
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(
        sqlite3_serialize(db_.get(), "main", &size, 0), &sqlite3_free);
    if (!bytes) fail(SQLITE_NOMEM, "save");
    return {reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size)};
}

void SqliteConnection::load(std::string_view image) {
    auto* bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.size()));
    if (bytes == nullptr) fail(SQLITE_NOMEM, "load");
    std::ranges::copy(image, bytes);
    const auto size = static_cast<sqlite3_int64>(image.size());
    // SQLite frees the bytes, also when it fails.
    const int code = sqlite3_deserialize(db_.get(), "main", bytes, size, size,
                                         SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    if (code != SQLITE_OK) fail(code, "load");
}

void SqliteConnection::empty_log() noexcept {
    const int code =
        sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (code != SQLITE_OK) {
        log::warning("the write-ahead log of a replaced database could not be emptied",
                     {{"reason", sqlite3_errstr(code)}});
    }
}

std::int64_t SqliteConnection::total_changes() const {
    return sqlite3_total_changes64(db_.get());
}

sqlite3_stmt* SqliteConnection::prepared(std::string_view sql) {
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second.get();
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    Statement statement(raw);
    if (code != SQLITE_OK) fail(code, sql);
    return statements_.emplace(std::string(sql), std::move(statement)).first->second.get();
}

void SqliteConnection::fail(int code, std::string_view sql) {
    using base::Error;
    using base::ErrorCode;
    const int primary = code & 0xff;
    std::string detail = sqlite3_errstr(code);
    if (db_) detail += std::string(": ") + sqlite3_errmsg(db_.get());
    detail += " (" + std::to_string(code) + ") in: " + std::string(sql.substr(0, 200));
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
        throw Error(ErrorCode::kConflict, "duplicate", "There is one like this already.")
            .with_internal(std::move(detail));
    }
    const bool refused_write = primary == SQLITE_READONLY && read_only_;
    // A database without our tables is another one, or an empty file, in the place of ours.
    const bool foreign = primary == SQLITE_ERROR && detail.contains(": no such table: ");
    if ((is_outage(primary) && !refused_write) || foreign) {
        if (!passes_by_itself(primary)) broken_ = true;
        spoiled_ = true;
        throw Error(ErrorCode::kUnavailable, "database_unavailable",
                    "The database does not answer now: try again in a few seconds.")
            .with_internal(std::move(detail));
    }
    throw Error(ErrorCode::kInternal, "database_error", "The database refused a statement of this server.")
        .with_internal(std::move(detail));
}

}  // namespace agentdb9::store
