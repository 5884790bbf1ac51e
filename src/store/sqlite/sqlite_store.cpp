#include "store/sqlite/sqlite_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "store/migrate.hpp"

namespace agentdb9::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr mode_t kOwnerOnly = 0600;

[[noreturn]] void unavailable(const std::filesystem::path& file, int error) {
    throw Error(ErrorCode::kUnavailable, "database_unavailable",
                "The database " + file.string() + " cannot be opened: " + std::strerror(error) + ".");
}

// SQLite would make the file readable to all; its WAL takes the file's permissions after it. Only a file that
// is not there is opened here: closing one that SQLite has open in this process would drop SQLite's locks.
void make_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
    if (descriptor >= 0)
        ::close(descriptor);
    else if (errno != EEXIST)
        unavailable(file, errno);
}

std::unique_ptr<SqliteConnection> connect_in_memory() {
    return std::make_unique<SqliteConnection>(":memory:", SqliteAccess::kCreate,
                                              std::chrono::milliseconds(0));
}

}  // namespace

SqliteStore::DirectoryLock::DirectoryLock(const std::filesystem::path& file) {
    const std::string name = file.string() + ".lock";
    descriptor_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly);
    if (descriptor_ < 0) unavailable(file, errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    const int error = errno;
    ::close(descriptor_);
    if (error != EWOULDBLOCK) unavailable(file, error);
    throw base::conflict("data_directory_in_use",
                         "The data directory " + file.parent_path().string() +
                             " is in use by another agentdb9: stop that one first, or "
                             "give this one a directory of its own with --data-dir.");
}

SqliteStore::DirectoryLock::~DirectoryLock() {
    ::close(descriptor_);
}

SqliteStore::SqliteStore(std::filesystem::path file, SqliteOptions options)
    : Store(options.threads),
      file_(std::filesystem::absolute(std::move(file))),
      mode_(options.mode),
      pool_(file_, options.readers, options.busy_timeout) {
    if (mode_ == OpenMode::kExclusive) {
        lock_.emplace(file_);
        make_file(file_);
        transact_raw(Mode::kWrite, [](Connection&) {});
    } else {
        if (!std::filesystem::exists(file_)) unavailable(file_, ENOENT);
        transact_raw(Mode::kRead, [](Connection&) {});
    }
}

SqliteStore::SqliteStore(std::unique_ptr<SqliteConnection> in_memory)
    : Store(0), mode_(OpenMode::kExclusive), pool_(std::move(in_memory)) {}

std::unique_ptr<SqliteStore> SqliteStore::in_memory() {
    // Migrated once in the process's life, then copied.
    static const std::string image = [] {
        SqliteStore first(connect_in_memory());
        first.migrate();
        return (*first.pool_.take(Mode::kWrite)).save();
    }();
    auto connection = connect_in_memory();
    connection->load(image);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(connection)));
}

SqliteStore::~SqliteStore() {
    join();
}

void SqliteStore::transact(Mode mode, const std::function<void(Transaction&)>& work) {
    transact_raw(mode, [&work](Connection& db) {
        Transaction transaction(db);
        work(transaction);
    });
}

void SqliteStore::transact_raw(Mode mode, const std::function<void(Connection&)>& work) {
    if (mode == Mode::kWrite && mode_ == OpenMode::kShared) {
        throw base::conflict(
            "database_in_use_read_only",
            "The database was opened for looking only: let the running server make the change.");
    }
    const auto lease = pool_.take(mode);
    SqliteConnection& db = *lease;
    const auto changes = db.total_changes();
    try {
        // Immediate: a writer that began as a reader could not go on after another process has written.
        db.execute(mode == Mode::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
        work(db);
        // In memory readers share the writer's connection, which SQLite does not hold back.
        if (mode == Mode::kRead && db.total_changes() != changes) {
            throw Error(ErrorCode::kInternal, "database_error",
                        "The server tried to change what it only reads.");
        }
        db.execute("COMMIT");
    } catch (...) {
        db.rollback();
        throw;
    }
}

Migrated SqliteStore::migrate() {
    return apply_migrations(
        [this](const std::function<void(Connection&)>& work) { transact_raw(Mode::kWrite, work); });
}

std::vector<std::string> SqliteStore::pending_migrations() {
    std::vector<std::string> names;
    transact_raw(Mode::kRead, [&names](Connection& db) {
        for (const auto& migration : missing_migrations(db))
            names.push_back(migration.name);
    });
    return names;
}

std::vector<std::string> SqliteStore::damage() {
    std::vector<std::string> found;
    transact_raw(Mode::kRead, [&found](Connection& db) {
        for (const auto& row : db.execute("PRAGMA quick_check(5)").rows) {
            if (row.text(0) != "ok") found.push_back(row.text(0));
        }
    });
    return found;
}

std::string SqliteStore::describe() const {
    return std::string("SQLite ") + sqlite3_libversion() + ", " +
           (file_.empty() ? std::string("in memory") : file_.string());
}

}  // namespace agentdb9::store
