// Follows the notices of one PostgreSQL database on a thread and a connection of its own, which it opens
// again after a loss.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/postgres/postgres_connection.hpp"
#include "store/store.hpp"

namespace agentdb9::store {

class PostgresListener final : public Store::Subscription {
  public:
    PostgresListener(std::string url, PostgresLimits limits, std::string server,
                     Store::Subscriber subscriber);
    ~PostgresListener() override;

  private:
    void run(const std::stop_token& stop);
    void follow(const std::stop_token& stop);

    const std::string url_;
    const PostgresLimits limits_;
    const std::string server_;
    const Store::Subscriber subscriber_;
    std::mutex mutex_;
    std::condition_variable_any pause_;
    std::jthread thread_;
};

}  // namespace agentdb9::store
