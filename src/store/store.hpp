// Where the catalogue is kept. A use case runs as one transaction:
//
//   auto project = co_await store.write([=](Transaction& tx) { … return tx.projects().insert(row); });
//
// The function runs on the store's threads, to its end, and must not touch anything but its captures (taken
// by value) and `tx`. What it throws rolls the transaction back and is thrown to the caller, who resumes on
// its own executor. Two implementations, one conformance suite.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/async.hpp"
#include "base/time.hpp"
#include "store/measures.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {

enum class Mode { kRead, kWrite };

// What a migration did.
struct Migrated {
    std::vector<std::string> applied;  // names of migrations
    std::vector<std::string> notes;    // rows that were repaired, and those that could not be: sentences
};

class Store {
  public:
    // With zero threads the work runs at once on the caller's.
    explicit Store(std::size_t threads) : pool_(std::make_unique<base::BlockingPool>(threads)) {}
    // The same, but others have their turn before and after each transaction.
    explicit Store(std::function<Task<>()> turn)
        : pool_(std::make_unique<base::BlockingPool>(std::move(turn))) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    // A consistent view; nothing may be changed in it.
    template <class F>
    Task<std::invoke_result_t<F&, Transaction&>> read(F work) {
        return run(Mode::kRead, std::move(work));
    }
    // Durable when the awaited call returns. Writers wait for one another.
    template <class F>
    Task<std::invoke_result_t<F&, Transaction&>> write(F work) {
        return run(Mode::kWrite, std::move(work));
    }

    // Throws Error{kUnavailable, "database_unavailable"} when the database does not answer. Blocks; for
    // readiness checks use `co_await store.read(…)`.
    virtual void transact(Mode mode, const std::function<void(Transaction&)>& work) = 0;

    // Of those that were awaited: read() and write(). By any thread.
    const TransactionMeasures& measures(Mode mode) const { return measures_[static_cast<std::size_t>(mode)]; }

    // This server's name among those on the database, made anew with each start; absent where there is only
    // one.
    virtual std::optional<std::string> server_name() const = 0;
    // What other servers on this database notify (Notices); called on a thread of the store's.
    struct Subscriber {
        std::function<void(const std::string& text)> on_notice;
        // The stream stands, the first time or again: what was told before is not known.
        std::function<void()> on_connected;
        std::function<void()> on_lost;
        // At `time` the database counted this server among those that are there. Told a few times a second.
        std::function<void(base::SteadyTime time)> on_present;
    };
    // Follows until the subscription dies, which waits for a call that runs. Null where there is only one
    // server.
    class Subscription {
      public:
        virtual ~Subscription() = default;
    };
    virtual std::unique_ptr<Subscription> subscribe(Subscriber subscriber) = 0;

    // Applies the migrations that are missing, each in a transaction of its own. Blocks; called before
    // serving. Throws Error{kConflict, "database_newer"} when the database was written by a newer program.
    virtual Migrated migrate() = 0;
    // What migrate() would apply.
    virtual std::vector<std::string> pending_migrations() = 0;
    // What an examination of the database finds wrong, a text each; empty where it is sound, or looks after
    // that itself. Blocks, for as long as reading the whole takes.
    virtual std::vector<std::string> damage() { return {}; }
    // "SQLite 3.40.1, /path/agentdb9.db"; without secrets.
    virtual std::string describe() const = 0;

  protected:
    // Waits for running work. Every implementation's destructor begins with it, while it is still whole.
    void join() { pool_.reset(); }

  private:
    template <class F>
    Task<std::invoke_result_t<F&, Transaction&>> run(Mode mode, F work) {
        using R = std::invoke_result_t<F&, Transaction&>;
        measures_[static_cast<std::size_t>(mode)].asked.fetch_add(1, std::memory_order_relaxed);
        const auto asked = std::chrono::steady_clock::now();
        co_return co_await pool_->run([this, mode, asked, work = std::move(work)]() mutable -> R {
            if constexpr (std::is_void_v<R>) {
                transact_measured(mode, asked, [&](Transaction& tx) { work(tx); });
            } else {
                std::optional<R> result;
                transact_measured(mode, asked, [&](Transaction& tx) { result.emplace(work(tx)); });
                return std::move(*result);
            }
        });
    }

    void transact_measured(Mode mode, std::chrono::steady_clock::time_point asked,
                           const std::function<void(Transaction&)>& work);

    std::array<TransactionMeasures, 2> measures_;  // by Mode
    std::unique_ptr<base::BlockingPool> pool_;
};

}  // namespace agentdb9::store
