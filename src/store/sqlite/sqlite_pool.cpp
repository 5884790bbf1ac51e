#include "store/sqlite/sqlite_pool.hpp"

#include <sys/stat.h>

namespace agentdb9::store {

SqlitePool::SqlitePool(std::filesystem::path file, std::size_t readers, std::chrono::milliseconds busy)
    : file_(std::move(file)), most_readers_(readers), busy_(busy) {}

SqlitePool::SqlitePool(std::unique_ptr<SqliteConnection> in_memory)
    : most_readers_(0), busy_(0), writer_(std::move(in_memory)) {}

SqlitePool::Lease SqlitePool::take(Mode mode) {
    std::unique_lock lock(mutex_);
    for (;;) {
        // SQLite goes on writing to a file that was moved away, where nobody would ever look.
        if (replaced()) {
            if (writing_ + reading_ == 0) {
                leave_file();
                continue;
            }
        } else if (has_free(mode)) {
            break;
        }
        changed_.wait(lock);
    }
    std::unique_ptr<SqliteConnection> connection;
    if (mode == Mode::kWrite || in_memory()) {
        connection = writer_ ? std::move(writer_) : open(Mode::kWrite);
        ++writing_;
    } else {
        if (!readers_.empty()) {
            connection = std::move(readers_.back());
            readers_.pop_back();
        } else {
            connection = open(Mode::kRead);
        }
        ++reading_;
    }
    return Lease(*this, mode, std::move(connection));
}

std::optional<SqlitePool::Identity> SqlitePool::identity_now() const {
    struct stat status{};
    if (::stat(file_.c_str(), &status) != 0) return std::nullopt;
    return Identity{status.st_dev, status.st_ino};
}

bool SqlitePool::replaced() const {
    return identity_ && identity_now() != identity_;
}

void SqlitePool::leave_file() {
    // The write-ahead log lies under the old file's name and would be taken for the new one's: it is brought
    // home into the old file, and emptied, before any connection is opened on the new one.
    if (SqliteConnection* any = writer_ ? writer_.get() : readers_.empty() ? nullptr : readers_.back().get())
        any->empty_log();
    readers_.clear();
    writer_.reset();
    identity_.reset();
}

bool SqlitePool::has_free(Mode mode) const {
    if (mode == Mode::kWrite || in_memory()) return writing_ == 0;
    return reading_ < most_readers_;
}

std::unique_ptr<SqliteConnection> SqlitePool::open(Mode mode) {
    auto connection = std::make_unique<SqliteConnection>(
        file_.string(), mode == Mode::kWrite ? SqliteAccess::kWrite : SqliteAccess::kRead, busy_);
    identity_ = identity_now();
    return connection;
}

void SqlitePool::give_back(Mode mode, std::unique_ptr<SqliteConnection> connection) noexcept {
    {
        const std::lock_guard lock(mutex_);
        const bool writer = mode == Mode::kWrite || in_memory();
        --(writer ? writing_ : reading_);
        // What lies in memory would be lost with its connection.
        if (connection->broken() && !in_memory()) {
            connection.reset();
        } else if (writer) {
            writer_ = std::move(connection);
        } else {
            readers_.push_back(std::move(connection));
        }
    }
    changed_.notify_all();
}

}  // namespace agentdb9::store
