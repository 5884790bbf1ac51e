#include "services/shares.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "services/access.hpp"

namespace agentdb9::services {
namespace {

using model::Share;
using model::ShareLevel;

// What nobody told of (an owner who is active again) is noticed after this.
constexpr std::chrono::seconds kLook{30};
constexpr std::chrono::seconds kRetry{1};

base::Time end_of(const NewShare& wanted, base::Time now) {
    const auto end = wanted.expires_at.value_or(now + kLinkLife);
    if (end <= now) throw base::invalid_field("expiresAt", "must lie in the future");
    if (end > now + kMaxShareLife) {
        throw base::invalid_field(
            "expiresAt", "must lie at most " + std::to_string(kMaxShareLife.count()) + " days in the future");
    }
    return end;
}

void require_room(store::Transaction& tx, const Share& row, base::Time now) {
    std::size_t count = 0;
    for (const auto& other : tx.shares().of_workspace(row.workspace_id)) {
        if (model::has_expired(other, now)) {
            tx.shares().remove(other.id);
            continue;
        }
        ++count;
        if (row.level != ShareLevel::kLink && other.level == row.level && other.port == row.port) {
            throw base::conflict("share_exists", "Port " + std::to_string(row.port) +
                                                     " is shared like that already; delete that share first "
                                                     "to change when it ends.");
        }
    }
    if (count < kMaxShares) return;
    throw base::Error(base::ErrorCode::kQuota, "too_many_shares",
                      "A workspace has at most " + std::to_string(kMaxShares) +
                          " shares; delete one that is not needed any more.");
}

}  // namespace

bool is_shared_with_users(store::Transaction& tx, const base::WorkspaceId& workspace, int port,
                          base::Time now) {
    const auto row = tx.workspaces().find(workspace);
    if (!row || row->desired_state == model::DesiredState::kDeleted) return false;
    const auto owner = tx.users().find(row->user_id);
    if (!owner || !owner->is_active) return false;
    return std::ranges::any_of(tx.shares().of_workspace(workspace), [&](const Share& share) {
        return share.port == port && share.level != ShareLevel::kLink && !model::has_expired(share, now);
    });
}

ShareService::ShareService(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                           RouteBook& routes, const model::Catalogue& catalogue, const auth::Keys& keys,
                           bool origins)
    : clock_(clock),
      store_(store),
      routes_(routes),
      catalogue_(catalogue),
      keys_(keys),
      origins_(origins),
      woken_(executor),
      scope_(std::move(executor)) {}

Task<> ShareService::start() {
    if (!origins_) co_return;
    co_await read_again();
    scope_.spawn("shares", watch());
}

Task<> ShareService::stop() {
    co_await scope_.close();
}

Task<Share> ShareService::create(base::UserId user, base::WorkspaceId workspace, NewShare wanted) {
    const auto now = clock_.now();
    const auto made = co_await store_.write([=, this](store::Transaction& tx) {
        const auto owned = owned_workspace(tx, user, workspace);
        if (!origins_) {
            throw base::conflict("apps_domain_missing",
                                 "Sharing needs an origin for each application: ask the operator to set "
                                 "server.appsDomain.");
        }
        if (owned.desired_state == model::DesiredState::kDeleted) {
            throw base::conflict("workspace_deleting",
                                 "This workspace is being deleted; create another one.");
        }
        const auto* type = catalogue_.find(owned.type);
        if (!wanted.port && type == nullptr) {
            throw base::conflict("workspace_type_unknown",
                                 "The workspace type '" + owned.type +
                                     "' is not configured on this server; name a port, or ask its operator.");
        }
        Share row{.id = base::ShareId::generate(),
                  .workspace_id = workspace,
                  .user_id = user,
                  .port = wanted.port ? *wanted.port : type->default_port,
                  .level = wanted.level,
                  .created_at = now,
                  .expires_at = {}};
        if (wanted.expires_at || wanted.level == ShareLevel::kLink) row.expires_at = end_of(wanted, now);
        require_room(tx, row, now);
        tx.shares().insert(row);
        tx.notices().send(std::string(kSharesNotice));
        return row;
    });
    ++changes_;
    auto shares = in_force_;
    // It may have been read again already.
    std::erase_if(shares, [&](const Share& share) { return share.id == made.id; });
    shares.push_back(made);
    co_await put_in_force(std::move(shares));
    co_return made;
}

Task<std::vector<Share>> ShareService::list(base::UserId user, base::WorkspaceId workspace) {
    co_return co_await store_.read([user, workspace, now = clock_.now()](store::Transaction& tx) {
        owned_workspace(tx, user, workspace);
        auto shares = tx.shares().of_workspace(workspace);
        std::erase_if(shares, [&](const Share& share) { return model::has_expired(share, now); });
        return shares;
    });
}

Task<> ShareService::remove(base::UserId user, base::WorkspaceId workspace, base::ShareId share) {
    co_await store_.write([=](store::Transaction& tx) {
        owned_workspace(tx, user, workspace);
        const auto found = tx.shares().find(share);
        if (!found || found->workspace_id != workspace) throw base::not_found("share");
        tx.shares().remove(share);
        tx.notices().send(std::string(kSharesNotice));
    });
    ++changes_;
    auto shares = in_force_;
    std::erase_if(shares, [&](const Share& each) { return each.id == share; });
    co_await put_in_force(std::move(shares));
}

Task<model::Workspace> ShareService::find_openable(base::UserId user, base::WorkspaceId workspace) {
    co_return co_await store_.read(
        [user, workspace, now = clock_.now(), origins = origins_](store::Transaction& tx) {
            auto found = tx.workspaces().find(workspace);
            if (found && found->user_id == user) return std::move(*found);
            if (!found || !origins) throw base::not_found("workspace");
            const auto shares = tx.shares().of_workspace(workspace);
            if (!std::ranges::any_of(shares, [&](const Share& share) {
                    return is_shared_with_users(tx, workspace, share.port, now);
                }))
                throw base::not_found("workspace");
            return std::move(*found);
        });
}

Task<bool> ShareService::may_open(base::UserId user, base::WorkspaceId workspace, int port) {
    co_return co_await store_.read(
        [user, workspace, port, now = clock_.now(), origins = origins_](store::Transaction& tx) {
            const auto found = tx.workspaces().find(workspace);
            if (!found) return false;
            return found->user_id == user || (origins && is_shared_with_users(tx, workspace, port, now));
        });
}

std::string ShareService::link_of(const base::ShareId& share) const {
    const auto mac = base::hmac_sha256(keys_.application_cookies, "share link " + share.str());
    return share.str() + "." + base::base64url_encode(mac);
}

void ShareService::look_again() {
    stale_ = true;
    wake();
}

// 1. What others changed is read. 2. What is over is taken out. 3. Nothing until one of these comes again.
Task<> ShareService::watch() {
    for (;;) {
        if (stale_ && !co_await read_again()) co_await clock_.sleep_for(kRetry);
        auto shares = in_force_;
        const auto now = clock_.now();
        if (std::erase_if(shares, [&](const Share& share) { return model::has_expired(share, now); }) > 0)
            co_await put_in_force(std::move(shares));
        if (stale_) continue;
        const auto wait = until_next_look();
        const bool told = co_await base::with_timeout(clock_, wait, wake_after(wakes_));
        if (!told && wait == kLook) stale_ = true;
    }
}

void ShareService::wake() {
    ++wakes_;
    woken_.notify_all();
}

// Also when it came before anybody waited.
Task<> ShareService::wake_after(std::uint64_t seen) {
    while (wakes_ == seen)
        co_await woken_.wait();
}

base::Duration ShareService::until_next_look() const {
    base::Duration wait = kLook;
    const auto now = clock_.now();
    for (const auto& share : in_force_)
        if (share.expires_at) wait = std::clamp(*share.expires_at - now, base::Duration(1), wait);
    return wait;
}

// False when the store did not answer.
Task<bool> ShareService::read_again() {
    try {
        for (;;) {
            stale_ = false;
            const auto before = changes_;
            auto shares = co_await store_.read(
                [now = clock_.now()](store::Transaction& tx) { return tx.shares().in_force(now); });
            // It may be from before a change that was made here meanwhile.
            if (before != changes_) continue;
            auto known = in_force_;
            std::ranges::sort(known, {}, &Share::id);
            std::ranges::sort(shares, {}, &Share::id);
            if (known != shares) co_await put_in_force(std::move(shares));
            co_return true;
        }
    } catch (const base::Error& error) {
        log::warning("what is shared is read again later", {{"reason", error.what()}});
    }
    stale_ = true;
    co_return false;
}

Task<> ShareService::put_in_force(std::vector<Share> shares) {
    in_force_ = std::move(shares);
    auto sharings = std::make_shared<model::Sharings>();
    for (const auto& share : in_force_)
        (*sharings)[share.workspace_id].push_back(
            {share, share.level == ShareLevel::kLink ? link_of(share.id) : std::string()});
    wake();
    co_await routes_.share(std::move(sharings));
}

}  // namespace agentdb9::services
