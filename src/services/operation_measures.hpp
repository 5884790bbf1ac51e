// How the operations that this server ended did, for those who operate it. Control executor.
#pragma once

#include <map>
#include <tuple>

#include "base/histogram.hpp"
#include "model/backup.hpp"
#include "model/entities.hpp"

namespace agentdb9::services {

class OperationMeasures {
  public:
    // Times count from the request to the end.
    void ended(const model::Operation& operation) {
        add(model::to_text(operation.kind), model::to_text(operation.state),
            operation.requested_by ? "user" : "server", operation.created_at, operation.finished_at);
    }
    void ended(const model::ProjectOperation& operation) {
        add(model::to_text(operation.kind), model::to_text(operation.state), "user", operation.created_at,
            operation.finished_at);
    }

    // Kind, outcome, and by whom it was asked for: all of them words of the program's.
    using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
    const std::map<Key, base::Histogram>& all() const { return all_; }

  private:
    void add(std::string_view kind, std::string_view outcome, std::string_view by, base::Time created,
             std::optional<base::Time> finished) {
        auto& took = all_[Key(kind, outcome, by)];
        took.record(finished.value_or(created) - created);
    }
    std::map<Key, base::Histogram> all_;
};

}  // namespace agentdb9::services
