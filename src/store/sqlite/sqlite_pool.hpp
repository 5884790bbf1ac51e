// The connections to one SQLite file: at most one that writes and a few that read. Any thread; calls block.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "store/sqlite/sqlite_connection.hpp"
#include "store/store.hpp"

namespace agentdb9::store {

class SqlitePool {
  public:
    SqlitePool(std::filesystem::path file, std::size_t readers, std::chrono::milliseconds busy);
    // In memory, where one connection serves both modes.
    explicit SqlitePool(std::unique_ptr<SqliteConnection> in_memory);

    // A connection for one transaction. Goes back, or is closed when it broke, at the end of its life.
    class Lease {
      public:
        Lease(SqlitePool& pool, Mode mode, std::unique_ptr<SqliteConnection> connection)
            : pool_(pool), mode_(mode), connection_(std::move(connection)) {}
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() { pool_.give_back(mode_, std::move(connection_)); }
        SqliteConnection& operator*() const { return *connection_; }

      private:
        SqlitePool& pool_;
        Mode mode_;
        std::unique_ptr<SqliteConnection> connection_;
    };

    // Waits for its turn. Throws "database_unavailable" when the file cannot be opened.
    Lease take(Mode mode);

  private:
    // Which file a path leads to.
    struct Identity {
        dev_t device;
        ino_t inode;
        friend bool operator==(const Identity&, const Identity&) = default;
    };

    bool in_memory() const { return file_.empty(); }
    std::optional<Identity> identity_now() const;
    bool replaced() const;
    // Closes every connection; none is out.
    void leave_file();
    bool has_free(Mode mode) const;
    std::unique_ptr<SqliteConnection> open(Mode mode);
    void give_back(Mode mode, std::unique_ptr<SqliteConnection> connection) noexcept;

    const std::filesystem::path file_;
    const std::size_t most_readers_;
    const std::chrono::milliseconds busy_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Identity> identity_;  // of the file that the connections below are open on
    std::unique_ptr<SqliteConnection> writer_;
    std::vector<std::unique_ptr<SqliteConnection>> readers_;
    std::size_t writing_ = 0;  // connections that are out
    std::size_t reading_ = 0;
};

}  // namespace agentdb9::store
