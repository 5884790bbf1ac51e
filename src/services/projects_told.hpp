// A user's projects, and what is done with their files, as their feed has told of them. Control executor, but
// for read().
#pragma once

#include <map>
#include <set>

#include "services/user_event.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class ProjectsTold {
  public:
    struct Rows {
        std::vector<model::Project> projects;
        std::vector<model::ProjectOperation> operations;
    };
    // In a transaction: all projects, the user's latest operations, all open ones, and those of `under_way`.
    static Rows read(store::Transaction& tx, const base::UserId& user,
                     const std::set<base::OperationId>& under_way);

    // Operations that had not ended when they were last told of.
    const std::set<base::OperationId>& under_way() const { return under_way_; }
    // `version`: that of the feed from now on; the first one is 1.
    void take(const Rows& rows, std::uint64_t version, const UserEventWriter& writer);

    std::vector<base::ProjectId> ids() const;
    // All projects, and the operations that are under way.
    std::string present() const;
    std::string since(std::uint64_t version) const;

  private:
    std::map<base::ProjectId, Told> projects_;
    std::map<base::ProjectId, Told> gone_;
    std::map<base::OperationId, Told> operations_;
    std::set<base::OperationId> under_way_;
};

}  // namespace agentdb9::services
