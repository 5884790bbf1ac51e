// What administrators see and do by the API: everybody's accounts and workspaces as rows, and the
// installation in numbers. No content of anybody's, and no door to it. Control executor. Every call throws
// base::Error.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "model/administration.hpp"
#include "model/workspace_type.hpp"
#include "runtime/capacity.hpp"
#include "services/user_administration.hpp"
#include "services/workspace_container_service.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

// What is absent stays.
struct UserChange {
    std::optional<model::Role> role;
    std::optional<bool> active;
    std::optional<std::string> password;
    bool reset_password = false;  // to a one-time one, which is answered

    bool empty() const { return !role && !active && !password && !reset_password; }
};

struct ChangedUser {
    model::UserSummary summary;
    std::optional<std::string> one_time_password;
};

// Of what the running workspaces may use, by their limits.
struct Reserved {
    std::int64_t workspaces = 0;
    double cpus = 0;
    std::int64_t memory_mb = 0;
    std::int64_t of_unknown_type = 0;  // of workspaces whose type is not configured: not in the two above
};

struct Overview {
    model::InstallationNumbers numbers;
    Reserved reserved;
    base::Time since;                             // from when on operations are counted
    std::optional<runtime::HostCapacity> engine;  // absent: it does not answer
    std::string engine_problem;                   // then: a sentence
};

class AdministrationService {
  public:
    using AskEngine = std::function<Task<runtime::HostCapacity>()>;

    // All references outlive this.
    AdministrationService(base::Clock& clock, store::Store& store, UserAdministration& users,
                          WorkspaceContainerService& containers, const model::Catalogue& catalogue,
                          AskEngine ask_engine);

    Task<store::Listing<model::UserSummary>> users(model::UserFilter filter, store::Page page);
    Task<model::UserSummary> user(base::UserId id);  // kNotFound
    Task<ChangedUser> create_user(std::string email, std::string username,
                                  std::optional<std::string> password, model::Role role);
    // All of it or nothing, in force at once, on open connections too. kNotFound; kConflict "last_admin"
    // where no active admin would be left, "own_account" where administrators would take their own role,
    // account or session away.
    Task<ChangedUser> change_user(auth::Principal admin, base::UserId id, UserChange change);

    Task<store::Listing<model::WorkspaceSummary>> workspaces(model::WorkspaceFilter filter, store::Page page);
    Task<model::WorkspaceSummary> workspace(base::WorkspaceId id);  // kNotFound
    // As its owner's request to stop it, told as an administrator's.
    Task<Requested> stop_workspace(base::WorkspaceId id, RequestOptions options);

    // One look at the database; the engine is waited for two seconds at most.
    Task<Overview> overview();

  private:
    Task<> look_at_engine(Overview& overview);

    base::Clock& clock_;
    store::Store& store_;
    UserAdministration& users_;
    WorkspaceContainerService& containers_;
    const model::Catalogue& catalogue_;
    AskEngine ask_engine_;
};

}  // namespace agentdb9::services
