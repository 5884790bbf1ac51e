// Work on projects' files as a whole (backup, restore, clone, import), as recorded operations. A piece of
// work belongs to the server that was asked for it, which says every few seconds that it lives; what a server
// that has died had begun is ended as failed, and what it had half made goes. Control executor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "services/admission_queue.hpp"
#include "services/operation_measures.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

// What a piece of work tells of itself while it runs.
struct WorkProgress {
    std::string phase = "queued";
    std::optional<int> percent;
    // Of `total`, where that is known.
    void set(std::uint64_t done, std::uint64_t total);
};

class ProjectWork {
  public:
    // `parallel`: how many run at once; the others wait for their turn.
    ProjectWork(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                std::size_t parallel);

    // Told when work of a user's begins and when it has ended. Before start().
    using OnChange = std::function<void(const base::UserId&)>;
    void on_change(OnChange told) { on_change_ = std::move(told); }

    // Ends what dead servers left open. Throws when the store does not answer.
    Task<> start();
    // Cancels all; what is open is ended at the next start.
    Task<> stop();

    // A row for the caller's transaction to insert.
    model::ProjectOperation make(model::ProjectOperationKind kind, base::ProjectId project,
                                 base::UserId user) const;
    // After that transaction: `work` runs when it is its turn. Its last transaction calls succeed(); what it
    // throws makes the operation fail.
    void begin(model::ProjectOperation operation, std::shared_ptr<WorkProgress> progress, Task<> work);
    // The operation as it ended; absent when it goes on after `limit`.
    Task<std::optional<model::ProjectOperation>> wait(model::ProjectOperation operation,
                                                      std::chrono::milliseconds limit);
    // With what is known of its progress just now.
    model::ProjectOperation with_progress(model::ProjectOperation operation) const;

    // In a transaction of the work: throws kConflict "operation_lost" when it was ended by somebody else.
    static model::ProjectOperation require_open(store::Transaction& tx,
                                                const model::ProjectOperation& operation);
    static void succeed(store::Transaction& tx, const model::ProjectOperation& operation, base::Time now);

    const OperationMeasures& measures() const { return measures_; }

  private:
    struct Running;
    Task<> run(model::ProjectOperation operation, std::shared_ptr<Running> running, Task<> work);
    Task<model::ProjectOperation> settle(model::ProjectOperation operation, std::optional<base::Error> error);
    Task<> take_up(model::ProjectOperation operation);
    Task<> end_abandoned();
    Task<> keep_alive();

    asio::any_io_executor executor_;
    base::Clock& clock_;
    store::Store& store_;
    const bool shared_;         // other servers work on the same database
    const std::string server_;  // this one, since its start
    AdmissionQueue queue_;
    std::unordered_map<base::OperationId, std::shared_ptr<Running>> running_;
    OperationMeasures measures_;
    OnChange on_change_ = [](const base::UserId&) {};
    base::Scope scope_;
};

}  // namespace agentdb9::services
