// Who beside its owner may use a workspace's ports. The rows are the store's; what is in force is kept here
// and goes with the route table to the data plane, which asks nobody else. What is taken back, or whose time
// is over, is out of the table before the call returns, here; other servers are told with the commit. Control
// executor.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/keys.hpp"
#include "base/async.hpp"
#include "base/clock.hpp"
#include "model/share.hpp"
#include "model/workspace_type.hpp"
#include "services/route_book.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

inline constexpr std::size_t kMaxShares = 50;  // of a workspace
inline constexpr std::chrono::days kLinkLife{7};
inline constexpr std::chrono::days kMaxShareLife{366};
inline constexpr std::string_view kSharesNotice = "shares";

struct NewShare {
    std::optional<int> port;  // absent: the type's
    model::ShareLevel level = model::ShareLevel::kUsers;
    std::optional<base::Time> expires_at;  // absent: a link lasts kLinkLife, the others until taken back
};

// Whether whoever is signed in may use the port. Within a transaction.
bool is_shared_with_users(store::Transaction& tx, const base::WorkspaceId& workspace, int port,
                          base::Time now);

class ShareService {
  public:
    // `origins`: whether each application has an origin of its own, without which nothing is shared. All
    // references outlive this.
    ShareService(asio::any_io_executor executor, base::Clock& clock, store::Store& store, RouteBook& routes,
                 const model::Catalogue& catalogue, const auth::Keys& keys, bool origins);

    // Before the routes are loaded. Throws base::Error.
    Task<> start();
    Task<> stop();

    // Throw base::Error: kNotFound for a workspace or share that is not the user's.
    // kConflict "apps_domain_missing", "share_exists", "workspace_deleting", "workspace_type_unknown"; kQuota
    // "too_many_shares"; kInvalid for a time that is over or too far away.
    Task<model::Share> create(base::UserId user, base::WorkspaceId workspace, NewShare wanted);
    // Those in force, newest first.
    Task<std::vector<model::Share>> list(base::UserId user, base::WorkspaceId workspace);
    Task<> remove(base::UserId user, base::WorkspaceId workspace, base::ShareId share);

    // The workspace, where it is the user's or some port of it is open to whoever is signed in; else
    // kNotFound. Which port is for may_open() to say.
    Task<model::Workspace> find_openable(base::UserId user, base::WorkspaceId workspace);
    Task<bool> may_open(base::UserId user, base::WorkspaceId workspace, int port);

    // What the share's link carries: "{share}.{MAC}". A secret; characters of a cookie-octet.
    std::string link_of(const base::ShareId& share) const;

    // Another server has changed something, or may have: all is read again.
    void look_again();

  private:
    Task<> watch();
    Task<bool> read_again();
    Task<> put_in_force(std::vector<model::Share> shares);
    base::Duration until_next_look() const;
    void wake();
    Task<> wake_after(std::uint64_t seen);

    base::Clock& clock_;
    store::Store& store_;
    RouteBook& routes_;
    const model::Catalogue& catalogue_;
    const auth::Keys& keys_;
    const bool origins_;
    std::vector<model::Share> in_force_;
    std::uint64_t changes_ = 0;  // made here
    bool stale_ = false;
    std::uint64_t wakes_ = 0;
    base::Signal woken_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
