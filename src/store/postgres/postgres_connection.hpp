// A connection to one PostgreSQL database (libpq). Blocks; one thread at a time. Statements are prepared once
// and kept. No call waits longer than its limit, also when the server hangs or the network swallows packets.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/connection.hpp"

namespace agentdb9::store {

struct PostgresLimits {
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds statement{10'000};
    std::chrono::milliseconds lock{8'000};  // of other transactions; below `statement`
};

class PostgresConnection final : public Connection {
  public:
    // `url`: postgresql://… as libpq reads it. `server`: whose notices these are. Throws as execute() does.
    PostgresConnection(const std::string& url, const PostgresLimits& limits, std::string server = {});
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    Result execute(std::string_view sql, const std::vector<Value>& parameters = {}) override;
    void execute_script(std::string_view sql) override;
    bool has_table(std::string_view name) override;
    bool has_column(std::string_view table, std::string_view column) override;
    void notify(const std::string& text) override;
    base::Time now() override;
    bool present(const std::string& server) override;

    // Ends the transaction, where one is still open. Never fails: where the server does not answer, broken()
    // is true from then on.
    void rollback() noexcept;
    // Nothing more can be had from it: close it and open another.
    bool broken() const { return broken_; }
    // Hears what any connection notifies from now on.
    void listen();
    // For as long as this session stands, the database knows that its server is there; it hears soon that a
    // host which says nothing any more is gone.
    void take_place();
    // What has come of others, at once; else waits for it, `limit` at most.
    std::vector<std::string> notices(std::chrono::milliseconds limit);
    // "15.18"
    std::string server_version() const;

  private:
    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    struct Clear {
        void operator()(PGresult* result) const { PQclear(result); }
    };
    using ResultPtr = std::unique_ptr<PGresult, Clear>;
    using Deadline = std::chrono::steady_clock::time_point;

    void connect(const std::string& url, std::chrono::milliseconds limit);
    const std::string& prepared(std::string_view sql, Deadline deadline);
    // The last result of what was sent; errors are thrown.
    ResultPtr finish(std::string_view sql, Deadline deadline);
    void wait(bool for_writing, std::string_view sql, Deadline deadline);
    void flush(std::string_view sql, Deadline deadline);
    [[noreturn]] void fail(const PGresult* result, std::string_view sql);
    [[noreturn]] void fail_to_connect();
    [[noreturn]] void lose(std::string reason, std::string_view sql);

    PostgresLimits limits_;
    std::string server_;
    std::unique_ptr<PGconn, Finish> connection_;
    std::unordered_map<std::string, std::string> statements_;  // SQL → name
    bool broken_ = false;
};

}  // namespace agentdb9::store
