// The repositories of one transaction. Concrete: the difference between databases lies below, in Connection.
// Each repository is a thin value around the connection; all block and belong to the store's threads.
//
// `insert` throws kConflict "duplicate" when the row breaks a unique rule. `update` writes every column but
// the key and createdAt, and does nothing when the row is gone. A row whose values are broken (an earlier
// backend checked little) reads as the nearest sensible one; nothing here throws for it. Lists without a page
// are whole.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/audit.hpp"
#include "model/backup.hpp"
#include "model/entities.hpp"
#include "model/idle.hpp"
#include "model/life_event.hpp"
#include "model/quota.hpp"
#include "model/share.hpp"
#include "store/connection.hpp"

namespace agentdb9::store {

// A page of a list: rows after `cursor` (what the last page's `next` said), at most `limit`. A cursor that
// this list did not give out throws kInvalid, field "cursor".
struct Page {
    std::size_t limit = 1000;
    std::optional<std::string> cursor;
};
template <class T>
struct Listing {
    std::vector<T> rows;
    std::optional<std::string> next;
};

class Users {
  public:
    explicit Users(Connection& db) : db_(db) {}
    // Both throw kConflict "email_taken" when the address is another's in whatever case, and store it in
    // lower case. Usernames are not unique: existing installations have some twice.
    void insert(const model::User& user);
    void update(const model::User& user);
    std::optional<model::User> find(const model::UserId& id);
    std::optional<model::User> find_by_email(const std::string& email);  // case-insensitive
    std::vector<model::User> all();                                      // oldest first
    std::int64_t count();
    std::int64_t count_admins();                                 // active ones
    std::vector<model::UserId> changed_since(model::Time time);  // in more than their last login

  private:
    Connection& db_;
};

class Projects {
  public:
    explicit Projects(Connection& db) : db_(db) {}
    void insert(const model::Project& project);
    void update(const model::Project& project);
    void remove(const model::ProjectId& id);
    std::optional<model::Project> find(const model::ProjectId& id);
    // Newest first.
    Listing<model::Project> of_user(const model::UserId& user, const Page& page = {});
    std::vector<model::Project> of_workspace(const model::WorkspaceId& workspace);  // newest first
    Listing<model::Project> unassigned(const model::UserId& user, const Page& page = {});
    // Of this user, assigned to no other workspace type than `type`. Newest first.
    std::vector<model::Project> compatible(const model::UserId& user, const std::string& type);
    std::int64_t count_of_user(const model::UserId& user);
    // Every assignment to the workspace is undone (it is being deleted); type too.
    void unassign_all(const model::WorkspaceId& workspace);
    std::vector<model::Project> all();  // oldest first

  private:
    Connection& db_;
};

class Workspaces {
  public:
    explicit Workspaces(Connection& db) : db_(db) {}
    void insert(const model::Workspace& workspace);
    void update(const model::Workspace& workspace);
    void remove(const model::WorkspaceId& id);  // its shares too
    std::optional<model::Workspace> find(const model::WorkspaceId& id);
    // The default first, then newest. Those that are being deleted are included; the services decide.
    Listing<model::Workspace> of_user(const model::UserId& user, const Page& page = {});
    std::vector<model::Workspace> of_user_and_type(const model::UserId& user, const std::string& type);
    // Workspaces of which it is the current or the next project.
    std::vector<model::Workspace> using_project(const model::ProjectId& project);
    void clear_default(const model::UserId& user);
    // All that may need the reconciler: running or deleted desired, a replacement on its way, an unsettled
    // phase, or an open operation.
    std::vector<model::WorkspaceId> unsettled();
    std::vector<model::Workspace> wanted_running();  // oldest first
    // Those that have a schedule, and stay; oldest first.
    std::vector<model::Workspace> scheduled();
    std::vector<model::Workspace> all();  // oldest first

  private:
    Connection& db_;
};

class Operations {
  public:
    explicit Operations(Connection& db) : db_(db) {}
    // kConflict "operation_in_progress" when the workspace has an open one.
    void insert(const model::Operation& operation);
    void update(const model::Operation& operation);
    std::optional<model::Operation> find(const model::OperationId& id);
    // The one that is pending or running; there is at most one a workspace. "Latest" goes by the order of
    // insertion, not by time.
    std::optional<model::Operation> open_of(const model::WorkspaceId& workspace);
    std::optional<model::Operation> latest_of(const model::WorkspaceId& workspace);
    Listing<model::Operation> of_workspace(const model::WorkspaceId& workspace,
                                           const Page& page = {});  // newest first
    // Whether something was done with one of the user's workspaces since `time`, or still is.
    bool any_since(const model::UserId& user, model::Time time);
    // Deletes those that finished before `before`, but keeps the latest of each workspace that still exists.
    // Returns how many.
    std::int64_t prune(model::Time before);

  private:
    Connection& db_;
};

// When workspaces were last used, by whichever server saw it. They go with the workspace.
class Activities {
  public:
    explicit Activities(Connection& db) : db_(db) {}
    // What is known already and later stays.
    void note(const model::WorkspaceId& workspace, const model::ActivityMark& mark);
    std::vector<model::ActivityMark> of_workspace(const model::WorkspaceId& workspace);  // the latest first

  private:
    Connection& db_;
};

// What happened in workspaces' lives. Newest first, in the order of insertion.
class LifeEvents {
  public:
    explicit LifeEvents(Connection& db) : db_(db) {}
    void insert(const model::LifeEvent& event);
    Listing<model::LifeEvent> of_workspace(const model::WorkspaceId& workspace, const Page& page = {});
    // Who asked for the operation; absent: nobody knows any more.
    std::optional<model::Actor> requester(const model::WorkspaceId& workspace,
                                          const model::OperationId& operation);
    // The crashes since `since`, and since somebody last asked for the workspace; newest first.
    std::vector<model::LifeEvent> crashes(const model::WorkspaceId& workspace, model::Time since);
    std::optional<model::LifeEvent> latest(const model::WorkspaceId& workspace, model::LifeEventKind kind);
    // The workspace is gone for good.
    void remove_all(const model::WorkspaceId& workspace);
    // Deletes what is older than `before`, all but the latest `most` of each workspace, and what belongs to
    // none that exists or lies in the trash. Returns how many.
    std::int64_t prune(model::Time before, std::int64_t most);

  private:
    Connection& db_;
};

// What is done with a project's files as a whole.
class ProjectOperations {
  public:
    explicit ProjectOperations(Connection& db) : db_(db) {}
    // kConflict "project_busy" when the project has an open one, unless it makes a new project.
    void insert(model::ProjectOperation operation);
    // All but who it belongs to, and what it was asked for.
    void update(const model::ProjectOperation& operation);
    std::optional<model::ProjectOperation> find(const model::OperationId& id);
    // Newest first, in the order of insertion. Also of a project that is gone.
    Listing<model::ProjectOperation> of_project(const model::UserId& user, const model::ProjectId& project,
                                                const Page& page = {});
    Listing<model::ProjectOperation> of_user(const model::UserId& user, const Page& page = {});  // likewise
    std::vector<model::ProjectOperation> open();  // pending or running; oldest first
    std::vector<model::ProjectOperation> open_of_user(const model::UserId& user);  // likewise
    // An open one makes or restores it.
    bool uses_backup(const model::BackupId& backup);
    // The project's instances are paused from now on and shall stay so, for `time` at most; 0: no longer.
    void freeze(const model::OperationId& id, std::chrono::milliseconds time);
    bool is_frozen(const model::ProjectId& project);
    // `server` still works on all its open ones.
    void renew(const std::string& server);
    // Open ones of other servers than `server` that have not been renewed for `silence`; without one: of any
    // age.
    std::vector<model::ProjectOperation> abandoned(const std::string& server,
                                                   std::optional<std::chrono::milliseconds> silence);
    // Deletes those that finished before `before`. Returns how many.
    std::int64_t prune(model::Time before);

  private:
    Connection& db_;
};

// Newest first, all of them. Those that are being deleted are in no list but with_leftovers() and all().
class Backups {
  public:
    explicit Backups(Connection& db) : db_(db) {}
    void insert(const model::Backup& backup);
    void update(const model::Backup& backup);
    void remove(const model::BackupId& id);
    std::optional<model::Backup> find(const model::BackupId& id);
    Listing<model::Backup> of_project(const model::UserId& user, const model::ProjectId& project,
                                      const Page& page = {});
    Listing<model::Backup> of_user(const model::UserId& user, const Page& page = {});
    std::vector<model::Backup> scheduled();
    std::optional<model::Backup> latest_complete(const model::ProjectId& project);
    // Whose file has to go: those that failed or are being deleted.
    std::vector<model::Backup> with_leftovers();
    std::vector<model::Backup> all();

  private:
    Connection& db_;
};

class Sessions {
  public:
    explicit Sessions(Connection& db) : db_(db) {}
    void insert(const model::Session& session);
    void update(const model::Session& session);
    std::optional<model::Session> find(const model::SessionId& id);
    // By the current or the previous refresh token's hash.
    std::optional<model::Session> find_by_refresh_hash(const std::string& hash);
    std::vector<model::Session> of_user(const model::UserId& user);  // newest first, revoked ones too
    std::vector<model::SessionId> revoked_since(model::Time time);
    // All of the user's but `except` that are not revoked yet.
    void revoke_all(const model::UserId& user, model::Time at, const std::optional<model::SessionId>& except);
    std::int64_t prune(model::Time expired_before);  // returns how many

  private:
    Connection& db_;
};

class ApiTokens {
  public:
    explicit ApiTokens(Connection& db) : db_(db) {}
    void insert(const model::ApiToken& token);
    std::optional<model::ApiToken> find(const model::ApiTokenId& id);
    std::optional<model::ApiToken> find_by_hash(const std::string& hash);
    std::vector<model::ApiToken> of_user(const model::UserId& user);  // not revoked, newest first
    std::vector<model::ApiTokenId> revoked_since(model::Time time);
    void touch(const model::ApiTokenId& id, model::Time used_at);  // a later time that is known stays
    void revoke(const model::ApiTokenId& id, model::Time at);      // the first time counts
    std::int64_t prune(model::Time revoked_before);                // returns how many

  private:
    Connection& db_;
};

class ProxyTickets {
  public:
    explicit ProxyTickets(Connection& db) : db_(db) {}
    void insert(const model::ProxyTicket& ticket);
    // Whether it could be taken, without taking it.
    bool exists(const std::string& hash);
    // Takes the ticket out: a second call finds nothing. Expired ones are returned too; the caller looks at
    // the time.
    std::optional<model::ProxyTicket> take(const std::string& hash);
    std::int64_t prune(model::Time expired_before);  // returns how many

  private:
    Connection& db_;
};

class Tombstones {
  public:
    explicit Tombstones(Connection& db) : db_(db) {}
    // kConflict "duplicate" when the volume lies in the trash already.
    void insert(const model::Tombstone& tombstone);
    void update(const model::Tombstone& tombstone);
    std::optional<model::Tombstone> find(const model::TombstoneId& id);
    std::optional<model::Tombstone> find_open_by_volume(const std::string& volume);
    // Every one that there ever was for a volume with this owner.
    std::vector<model::Tombstone> of_owner(const std::string& owner);
    // Neither restored nor purged, newest first; of one user, or of all.
    std::vector<model::Tombstone> open(const std::optional<model::UserId>& user);

  private:
    Connection& db_;
};

class Shares {
  public:
    explicit Shares(Connection& db) : db_(db) {}
    // kConflict "duplicate" when the port has one of this level, unless it is a link.
    void insert(const model::Share& share);
    void remove(const model::ShareId& id);
    void remove_all(const model::WorkspaceId& workspace);
    std::optional<model::Share> find(const model::ShareId& id);
    // Newest first, expired ones too.
    std::vector<model::Share> of_workspace(const model::WorkspaceId& workspace);
    // Not expired at `now`, of workspaces that stay and whose owner is active; by workspace.
    std::vector<model::Share> in_force(model::Time now);
    std::int64_t prune(model::Time expired_before);  // returns how many

  private:
    Connection& db_;
};

class Audits {
  public:
    explicit Audits(Connection& db) : db_(db) {}
    void insert(const model::AuditEntry& entry);
    Listing<model::AuditEntry> find(const model::AuditFilter& filter, const Page& page = {});  // newest first
    std::int64_t prune(model::Time before);  // returns how many

  private:
    Connection& db_;
};

// What an earlier installation made and an operator gave to this one.
class Adoptions {
  public:
    explicit Adoptions(Connection& db) : db_(db) {}
    void insert(const model::Adoption& adoption);
    std::vector<model::Adoption> all();  // oldest first

  private:
    Connection& db_;
};

// What one user may have, where the operator set that, and what a user's volumes held when last measured.
struct VolumeUse {
    std::int64_t bytes = 0;
    model::Time measured_at;
};
class Quotas {
  public:
    explicit Quotas(Connection& db) : db_(db) {}
    // Nothing set: an empty one.
    model::Quota of_user(const model::UserId& user);
    void set(const model::UserId& user, const model::Quota& quota);
    bool any_limits_volumes();
    std::optional<VolumeUse> volume_use(const model::UserId& user);
    // Of all users; who is not there has none.
    void set_volume_use(const std::map<model::UserId, std::int64_t>& bytes, model::Time measured_at);

  private:
    Connection& db_;
};

// Small facts about this installation, by name.
class Settings {
  public:
    explicit Settings(Connection& db) : db_(db) {}
    std::optional<std::string> get(const std::string& name);
    void set(const std::string& name, const std::string& value);
    void remove(const std::string& name);

  private:
    Connection& db_;
};

// For how long a holder must have been away from the database until its leases are free. Who is away stops
// before that by itself (services::LeaseKeeper; docs/decisions/0008).
inline constexpr std::chrono::milliseconds kGoneAfter{2500};

// Which server works on a workspace. Times are the database's own.
class Leases {
  public:
    explicit Leases(Connection& db) : db_(db) {}
    // The lease's token, when the workspace was free, its lease over, its holder gone, or the holder's
    // already (which then lasts `time` from now on). Absent: another server's; whether that one is away is
    // noted, so that who asks again finds it gone in time.
    std::optional<std::int64_t> take(const model::WorkspaceId& workspace, const std::string& holder,
                                     std::chrono::milliseconds time);
    bool holds(const model::WorkspaceId& workspace, const std::string& holder, std::int64_t token);
    // The others are told.
    void release(const model::WorkspaceId& workspace, const std::string& holder);
    // The workspace is gone.
    void forget(const model::WorkspaceId& workspace);
    // Of workspaces that do not exist.
    std::vector<model::WorkspaceId> orphans();
    // The holder is there again: it was not away for good.
    void came_back(const std::string& holder);
    // Whether this server is connected just now.
    bool present(const std::string& server) { return db_.present(server); }

    // Whoever starts an instance on a volume claims it first, and has it until the workspace's lease is given
    // back or another's. False: a workspace whose lease is in force has it.
    bool claim_volume(const std::string& volume, const model::WorkspaceId& workspace, std::int64_t token);

  private:
    struct Held;
    std::optional<Held> find(const std::string& workspace);
    bool in_force(const Held& lease, model::Time now);
    void note_absence(const std::string& workspace, const std::optional<model::Time>& since);

    Connection& db_;
};

// What the servers on one database tell one another, with the transaction's commit.
class Notices {
  public:
    explicit Notices(Connection& db) : db_(db) {}
    void send(const std::string& text);  // 7,999 bytes at most

  private:
    Connection& db_;
};

class Administration;  // store/administration.hpp

class Transaction {
  public:
    explicit Transaction(Connection& db) : db_(db) {}
    Users users() { return Users(db_); }
    Projects projects() { return Projects(db_); }
    Workspaces workspaces() { return Workspaces(db_); }
    Operations operations() { return Operations(db_); }
    Activities activities() { return Activities(db_); }
    LifeEvents life_events() { return LifeEvents(db_); }
    ProjectOperations project_operations() { return ProjectOperations(db_); }
    Backups backups() { return Backups(db_); }
    Sessions sessions() { return Sessions(db_); }
    ApiTokens api_tokens() { return ApiTokens(db_); }
    ProxyTickets proxy_tickets() { return ProxyTickets(db_); }
    Shares shares() { return Shares(db_); }
    Tombstones tombstones() { return Tombstones(db_); }
    Audits audits() { return Audits(db_); }
    Adoptions adoptions() { return Adoptions(db_); }
    Quotas quotas() { return Quotas(db_); }
    Settings settings() { return Settings(db_); }
    Leases leases() { return Leases(db_); }
    Notices notices() { return Notices(db_); }
    Administration administration();

  private:
    Connection& db_;
};

}  // namespace agentdb9::store
