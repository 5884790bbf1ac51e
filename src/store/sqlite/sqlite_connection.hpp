// A connection to one SQLite database. Blocks; one thread at a time. Statements are prepared once and kept.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/connection.hpp"

namespace agentdb9::store {

enum class SqliteAccess {
    kCreate,  // read and write; the file is made when it is missing
    kWrite,   // read and write; a missing file is an error
    kRead,    // statements that change something are refused
};

class SqliteConnection final : public Connection {
  public:
    // `file`: a path, or ":memory:". Waits up to `busy` for another process's lock. Throws as execute() does.
    SqliteConnection(const std::string& file, SqliteAccess access, std::chrono::milliseconds busy);
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;
    ~SqliteConnection() override;

    Result execute(std::string_view sql, const std::vector<Value>& parameters = {}) override;
    void execute_script(std::string_view sql) override;
    bool has_table(std::string_view name) override;
    bool has_column(std::string_view table, std::string_view column) override;
    void notify(const std::string&) override {}
    base::Time now() override;
    bool present(const std::string&) override { return true; }

    // Ends the transaction, where one is still open. Never fails: where SQLite cannot, broken() is true from
    // then on.
    void rollback() noexcept;
    // The whole database as SQLite keeps it in a file; and what it held is replaced by such an image.
    std::string save();
    void load(std::string_view image);
    // Moves all that the write-ahead log holds into the file. Does what it can; no transaction is open.
    void empty_log() noexcept;
    // An error that the next call may well meet again: the connection should be closed and opened anew.
    bool broken() const { return broken_; }
    // Rows changed since it was opened.
    std::int64_t total_changes() const;

  private:
    struct Close {
        void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

    sqlite3_stmt* prepared(std::string_view sql);
    [[noreturn]] void fail(int code, std::string_view sql);

    bool read_only_;
    bool broken_ = false;
    // SQLite may have rolled the transaction back by itself: until rollback() is called every statement
    // fails, or what follows would be committed without what came before.
    bool spoiled_ = false;
    std::unique_ptr<sqlite3, Close> db_;
    std::unordered_map<std::string, Statement, Hash, std::equal_to<>> statements_;
};

}  // namespace agentdb9::store
