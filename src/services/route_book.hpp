// The control plane's side of the routes: what each workspace's requests should meet. Every change makes a
// new immutable table and hands it to the data plane. Control executor only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/async.hpp"
#include "model/entities.hpp"
#include "model/route.hpp"
#include "model/workspace_type.hpp"

namespace agentdb9::services {

class RouteBook {
  public:
    // Makes a table known to all workers; returns once no worker reads an older one.
    using Publisher = std::function<Task<>(std::shared_ptr<const model::RouteTable>)>;

    explicit RouteBook(const model::Catalogue& catalogue) : catalogue_(catalogue) {}
    void set_publisher(Publisher publisher) { publisher_ = std::move(publisher); }
    // Called with each row that upsert() is told of.
    void on_upsert(std::function<void(const model::Workspace&)> listener) { listener_ = std::move(listener); }

    // The first entries: workspaces that should be running are held until they are looked at, the others
    // stopped. `workspaces` are all rows, read when changes() was `as_of`; false, and nothing done, when
    // something has changed since.
    Task<bool> load(std::vector<model::Workspace> workspaces, std::uint64_t as_of);
    // The row was made or changed (owner, type, default, waking); its state stays. A new one is stopped. A
    // default takes the place of the owner's former one.
    Task<> upsert(model::Workspace workspace);
    // What was missed is put right: `workspaces` are all rows, read when changes() was `as_of`. Does nothing
    // when something has changed since.
    Task<> refresh(std::vector<model::Workspace> workspaces, std::uint64_t as_of);
    std::uint64_t changes() const { return changes_; }
    Task<> remove(base::WorkspaceId workspace);
    // What others than the owners may use from now on. Before load() it waits for that.
    Task<> share(std::shared_ptr<const model::Sharings> sharings);

    Task<> publish(base::WorkspaceId workspace, model::Instance instance);
    // Requests wait. `use` of the instance that was served stays readable through use_of().
    Task<> hold(base::WorkspaceId workspace);
    Task<> stop(base::WorkspaceId workspace);
    // Every address may be stale: whatever is served is held until it has been looked at again.
    Task<> hold_all();

    // The instance that requests reach now; empty when none.
    std::string serving(const base::WorkspaceId& workspace) const;
    // False: there is no such workspace, as far as this server has heard.
    bool knows(const base::WorkspaceId& workspace) const { return entries_.contains(workspace); }
    // Requests reach it, or wait for it.
    bool routed(const base::WorkspaceId& workspace) const;
    std::vector<base::WorkspaceId> routed() const;
    struct Counts {
        std::size_t ready = 0;
        std::size_t held = 0;
        std::size_t stopped = 0;
    };
    Counts counts() const;
    // The counters of an instance that was published here; null for one that never was.
    std::shared_ptr<model::InstanceUse> use_of(const std::string& instance) const;
    void forget_use(const std::string& instance) { uses_.erase(instance); }

  private:
    bool put(const model::Workspace& workspace);
    std::shared_ptr<model::Route> edit(const base::WorkspaceId& workspace);
    Task<> announce();
    model::Route make_route(const model::Workspace& workspace) const;

    const model::Catalogue& catalogue_;
    Publisher publisher_;
    std::function<void(const model::Workspace&)> listener_;
    std::shared_ptr<const model::Sharings> sharings_;
    bool loaded_ = false;
    std::uint64_t version_ = 0;
    std::uint64_t changes_ = 0;  // of what there is, not of where it leads
    // Which of a user's workspaces of a type a path like /vscode/ means: the highest.
    struct Rank {
        bool stays = true;  // false: it is being deleted
        bool is_default = false;
        base::Time created_at;
        friend auto operator<=>(const Rank&, const Rank&) = default;
    };
    struct Entry {
        std::shared_ptr<const model::Route> route;
        Rank rank;
    };
    static Rank rank_of(const model::Workspace& workspace);
    std::unordered_map<base::WorkspaceId, Entry> entries_;
    std::unordered_map<std::string, std::shared_ptr<model::InstanceUse>> uses_;
};

}  // namespace agentdb9::services
