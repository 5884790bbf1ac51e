// The catalogue in one SQLite file. Writers take turns on one connection; readers have a few of their own,
// each seeing the state as of the start of its transaction. A commit is on the disk before write() returns.
//
// When the file fails, vanishes or is replaced, calls throw "database_unavailable" until it is usable again;
// then they go on by themselves. A file that was there once is never made anew.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/sqlite_pool.hpp"
#include "store/store.hpp"

namespace agentdb9::store {

enum class OpenMode {
    // The one server of this data directory: holds `<file>.lock` for its lifetime and makes the file (0600)
    // when it
    // is missing.
    kExclusive,
    // A command that looks at the database of a server that may be running. Takes no lock, makes no file;
    // write()
    // and migrate() throw Error{kConflict, "database_in_use_read_only"}.
    kShared,
};

struct SqliteOptions {
    OpenMode mode = OpenMode::kExclusive;
    std::size_t threads = 4;  // of the pool that read() and write() run on; 0: the caller's
    std::size_t readers = 3;  // connections that read at once
    std::chrono::milliseconds busy_timeout{5000};
};

class SqliteStore final : public Store {
  public:
    // The directory of `file` must exist. Throws Error{kConflict, "data_directory_in_use"} when another
    // process holds it, and "database_unavailable" when the file cannot be opened.
    explicit SqliteStore(std::filesystem::path file, SqliteOptions options = {});
    // Lives as long as the object and is migrated already; everything runs on the caller's thread. For tests
    // and the simulation: making one takes microseconds.
    static std::unique_ptr<SqliteStore> in_memory();
    ~SqliteStore() override;

    void transact(Mode mode, const std::function<void(Transaction&)>& work) override;
    std::optional<std::string> server_name() const override { return std::nullopt; }
    std::unique_ptr<Subscription> subscribe(Subscriber) override { return nullptr; }
    Migrated migrate() override;
    std::vector<std::string> pending_migrations() override;
    std::vector<std::string> damage() override;
    std::string describe() const override;

    // transact() without the repositories.
    void transact_raw(Mode mode, const std::function<void(Connection&)>& work);

  private:
    // flock(2) on a file that stays; the kernel lets go of it when the process ends, however it ends.
    class DirectoryLock {
      public:
        explicit DirectoryLock(const std::filesystem::path& file);
        DirectoryLock(const DirectoryLock&) = delete;
        DirectoryLock& operator=(const DirectoryLock&) = delete;
        ~DirectoryLock();

      private:
        int descriptor_ = -1;
    };

    explicit SqliteStore(std::unique_ptr<SqliteConnection> in_memory);

    std::filesystem::path file_;
    OpenMode mode_;
    std::optional<DirectoryLock> lock_;
    SqlitePool pool_;
};

}  // namespace agentdb9::store
