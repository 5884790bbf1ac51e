// What happens to a user's workspaces and projects, for those who watch: one feed a user, however many of
// their pages are open, which reads a row anew when something of it may have changed. Control executor.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "base/clock.hpp"
#include "services/feed_watch.hpp"
#include "services/projects_told.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class UserFeed final : public Feed {
  public:
    UserFeed(asio::any_io_executor executor, base::Clock& clock, store::Store& store, base::UserId user,
             const UserEventWriter& writer);

    // Until nobody watches.
    Task<> run();
    // Something of it may have changed; of one that is not known here only with `all`.
    void changed(const base::WorkspaceId& workspace);
    void look_at_all();
    void look_at_projects();

    const base::UserId& user() const { return user_; }
    bool ready() const { return version_ > 0; }
    std::uint64_t version() const { return version_; }
    // All that there is, of one workspace or of all and the projects, and which there are.
    std::string present(const std::optional<base::WorkspaceId>& only) const;
    // What is different since `version`.
    std::string since(std::uint64_t version, const std::optional<base::WorkspaceId>& only) const;
    bool knows(const base::WorkspaceId& workspace) const { return entries_.contains(workspace); }

  private:
    struct Entry {
        Told workspace;
        std::map<base::OperationId, Told> operations;              // the latest few
        std::vector<std::pair<model::LifeEventId, Told>> history;  // the latest, the oldest first
        base::OperationId latest = base::OperationId::generate();
    };
    struct Row {
        model::Workspace workspace;
        std::vector<model::Operation> operations;  // newest first
        std::vector<model::LifeEvent> history;     // likewise
    };
    struct Rows {
        std::vector<Row> workspaces;
        std::optional<ProjectsTold::Rows> projects;
    };
    Task<> look();
    void take(const Row& row);
    void remove(const base::WorkspaceId& workspace);

    base::Clock& clock_;
    store::Store& store_;
    base::UserId user_;
    const UserEventWriter& writer_;
    std::uint64_t version_ = 0;
    // What is to be looked at.
    bool all_ = true;
    bool projects_due_ = true;
    std::set<base::WorkspaceId> dirty_;
    std::map<base::WorkspaceId, Entry> entries_;
    std::map<base::WorkspaceId, Told> gone_;
    ProjectsTold projects_;
    base::Signal changed_;
};

class UserEvents {
  public:
    UserEvents(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
               UserEventWriter writer);

    // `only`: one workspace; the caller has looked that it is the user's. Throws kUnavailable
    // "shutting_down".
    std::shared_ptr<FeedWatch> watch(const base::UserId& user, std::optional<base::WorkspaceId> only);

    void changed(const base::WorkspaceId& workspace);
    // There may be another one, or several have changed.
    void changed_of(const base::UserId& user);
    // So may projects of theirs, or what is done with them.
    void projects_changed_of(const base::UserId& user);
    std::int64_t watchers() const;

    void finish();
    Task<> stop();

  private:
    Task<> run(std::shared_ptr<UserFeed> feed);

    asio::any_io_executor executor_;
    base::Clock& clock_;
    store::Store& store_;
    UserEventWriter writer_;
    bool finished_ = false;
    std::unordered_map<base::UserId, std::shared_ptr<UserFeed>> feeds_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
