// The catalogue in a PostgreSQL database, which several servers may share. Writers take turns on one lock of
// the database, so that a use case reads and writes as if it were alone, as on SQLite; readers do not wait.
//
// When the database does not answer, calls throw "database_unavailable"; they go on by themselves when it
// does. A commit whose answer is lost may or may not have happened: the caller is told that it failed.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/postgres/postgres_connection.hpp"
#include "store/store.hpp"

namespace agentdb9::store {

struct PostgresOptions {
    std::size_t threads = 8;  // of the pool that read() and write() run on; 0: the caller's
    std::size_t connections = 8;
    PostgresLimits limits;
};

class PostgresStore final : public Store {
  public:
    // Does not connect yet.
    explicit PostgresStore(std::string url, PostgresOptions options = {});
    ~PostgresStore() override;

    void transact(Mode mode, const std::function<void(Transaction&)>& work) override;
    std::optional<std::string> server_name() const override { return server_name_; }
    std::unique_ptr<Subscription> subscribe(Subscriber subscriber) override;
    Migrated migrate() override;
    std::vector<std::string> pending_migrations() override;
    std::string describe() const override;

    // transact() without the repositories.
    void transact_raw(Mode mode, const std::function<void(Connection&)>& work);

  private:
    class Lease;
    std::unique_ptr<PostgresConnection> connect() const;
    std::unique_ptr<PostgresConnection> take();
    void give_back(std::unique_ptr<PostgresConnection> connection) noexcept;
    void begin(std::unique_ptr<PostgresConnection>& connection, Mode mode);

    const std::string url_;
    const PostgresOptions options_;
    const std::string server_name_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<PostgresConnection>> idle_;
    std::size_t out_ = 0;
    std::string server_version_;
};

}  // namespace agentdb9::store
