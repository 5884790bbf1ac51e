#include "store/store.hpp"

#include "base/error.hpp"

namespace agentdb9::store {
namespace {

TransactionMeasures::Outcome outcome_of(const base::Error& error) {
    switch (error.code()) {
        case base::ErrorCode::kUnavailable:
            return TransactionMeasures::kUnavailable;
        case base::ErrorCode::kInternal:
            return TransactionMeasures::kFailed;
        default:
            return TransactionMeasures::kRefused;
    }
}

// Counts an end however it comes.
class Ending {
  public:
    explicit Ending(TransactionMeasures& measures)
        : measures_(measures), began_(std::chrono::steady_clock::now()) {}
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    ~Ending() {
        measures_.took.record(std::chrono::steady_clock::now() - began_);
        measures_.ended[outcome].fetch_add(1, std::memory_order_relaxed);
    }
    TransactionMeasures::Outcome outcome = TransactionMeasures::kFailed;

  private:
    TransactionMeasures& measures_;
    std::chrono::steady_clock::time_point began_;
};

}  // namespace

void Store::transact_measured(Mode mode, std::chrono::steady_clock::time_point asked,
                              const std::function<void(Transaction&)>& work) {
    auto& measures = measures_[static_cast<std::size_t>(mode)];
    measures.begun.fetch_add(1, std::memory_order_relaxed);
    measures.waited.record(std::chrono::steady_clock::now() - asked);
    Ending ending(measures);
    try {
        transact(mode, work);
        ending.outcome = TransactionMeasures::kDone;
    } catch (const base::Error& error) {
        ending.outcome = outcome_of(error);
        throw;
    }
}

}  // namespace agentdb9::store
