// What administrators ask over all users. Read only. The statements compare no id of one table with one of
// another: their types differ where an earlier backend made the tables.
#pragma once

#include "model/administration.hpp"
#include "store/transaction.hpp"

namespace agentdb9::store {

class Administration {
  public:
    explicit Administration(Connection& db) : db_(db) {}

    // Newest first.
    Listing<model::UserSummary> users(const model::UserFilter& filter, const Page& page = {});
    std::optional<model::UserSummary> user(const model::UserId& id);
    // Newest first; those that are being deleted, too.
    Listing<model::WorkspaceSummary> workspaces(const model::WorkspaceFilter& filter, const Page& page = {});
    // Operations that ended since `since`; `failures` of the failed ones at most.
    model::InstallationNumbers numbers(model::Time since, std::size_t failures);

  private:
    std::vector<model::UserSummary> summaries(std::vector<model::User> users);
    void add_failures(model::InstallationNumbers& numbers, model::Time since, std::size_t most);

    Connection& db_;
};

}  // namespace agentdb9::store
