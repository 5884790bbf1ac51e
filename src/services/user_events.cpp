#include "services/user_events.hpp"

#include <algorithm>
#include <ranges>

#include "base/log.hpp"

namespace agentdb9::services {
namespace {

// What comes in a bunch is read once.
constexpr base::Duration kGather{30};
constexpr base::Duration kLook{1000};
// How far the work on a project's files is, is looked at so often.
constexpr base::Duration kProgress{500};
// What no one told of, as when another server did it, is seen after so long.
constexpr std::chrono::seconds kSweep{15};
constexpr std::size_t kLatest = 3;
constexpr std::size_t kLatestHappenings = 10;
constexpr std::size_t kAtOnce = 1000;
constexpr std::size_t kMostGone = 1000;

class EventWatch final : public FeedWatch {
  public:
    EventWatch(base::Clock& clock, std::shared_ptr<UserFeed> feed, std::optional<base::WorkspaceId> only)
        : FeedWatch(clock, feed), feed_(std::move(feed)), only_(std::move(only)) {}

  protected:
    bool ready() const override { return feed_->ready() || feed_->ended(); }
    Task<> begin() override {
        first_ = feed_->present(only_);
        version_ = feed_->version();
        co_return;
    }
    std::string take() override {
        auto text = std::exchange(first_, {}) + feed_->since(version_, only_);
        version_ = feed_->version();
        seen_ = seen_ || (only_ && feed_->knows(*only_));
        return text;
    }
    // One that was made a moment ago may not be known yet.
    bool over() const override { return seen_ && !feed_->knows(*only_); }

  private:
    std::shared_ptr<UserFeed> feed_;
    std::optional<base::WorkspaceId> only_;
    std::string first_;
    std::uint64_t version_ = 0;
    bool seen_ = false;  // the only one
};

}  // namespace

UserFeed::UserFeed(asio::any_io_executor executor, base::Clock& clock, store::Store& store, base::UserId user,
                   const UserEventWriter& writer)
    : Feed(executor), clock_(clock), store_(store), user_(user), writer_(writer), changed_(executor) {}

void UserFeed::changed(const base::WorkspaceId& workspace) {
    if (!knows(workspace)) return;
    dirty_.insert(workspace);
    changed_.notify_all();
}

void UserFeed::look_at_all() {
    all_ = true;
    look_at_projects();
}

void UserFeed::look_at_projects() {
    projects_due_ = true;
    changed_.notify_all();
}

Task<> UserFeed::run() {
    auto swept_at = clock_.steady_now();
    while (watched() && !ended()) {
        if (clock_.steady_now() - swept_at >= kSweep) all_ = projects_due_ = true;
        if (!all_ && !projects_due_ && dirty_.empty()) {
            const bool works = !projects_.under_way().empty();
            co_await base::with_timeout(clock_, works ? kProgress : kLook, changed_.wait());
            projects_due_ = projects_due_ || works;
            continue;
        }
        if (all_) swept_at = clock_.steady_now();
        bool failed = false;
        try {
            co_await look();
        } catch (const base::Error& error) {
            log::debug("the store does not say how workspaces are", {{"reason", error.what()}});
            failed = true;
        }
        co_await clock_.sleep_for(failed ? kLook : kGather);
    }
    finish();
}

Task<> UserFeed::look() {
    const bool all = std::exchange(all_, false);
    const bool projects = std::exchange(projects_due_, false);
    const auto dirty = std::exchange(dirty_, {});
    Rows rows;
    try {
        rows = co_await store_.read([user = user_, all, projects, dirty,
                                     under_way = projects_.under_way()](store::Transaction& tx) {
            Rows found;
            const auto add = [&](model::Workspace workspace) {
                auto operations =
                    tx.operations().of_workspace(workspace.id, {.limit = kLatest, .cursor = {}});
                auto history =
                    tx.life_events().of_workspace(workspace.id, {.limit = kLatestHappenings, .cursor = {}});
                found.workspaces.push_back(
                    {std::move(workspace), std::move(operations.rows), std::move(history.rows)});
            };
            store::Page page{.limit = kAtOnce, .cursor = {}};
            do {
                if (!all) break;
                auto some = tx.workspaces().of_user(user, page);
                for (auto& each : some.rows)
                    add(std::move(each));
                page.cursor = std::move(some.next);
            } while (page.cursor);
            for (const auto& id : dirty) {
                if (all) break;
                auto workspace = tx.workspaces().find(id);
                if (workspace && workspace->user_id == user) add(std::move(*workspace));
            }
            if (projects) found.projects = ProjectsTold::read(tx, user, under_way);
            return found;
        });
    } catch (...) {
        // It is looked at again.
        all_ = all_ || all;
        projects_due_ = projects_due_ || projects;
        dirty_.insert(dirty.begin(), dirty.end());
        throw;
    }
    const auto before = version_++;
    std::set<base::WorkspaceId> there;
    for (const auto& row : rows.workspaces) {
        there.insert(row.workspace.id);
        take(row);
    }
    std::vector<base::WorkspaceId> gone;
    for (const auto& [id, entry] : entries_)
        if ((all || dirty.contains(id)) && !there.contains(id)) gone.push_back(id);
    for (const auto& id : gone)
        remove(id);
    if (rows.projects) projects_.take(*rows.projects, version_, writer_);
    if (before == 0 || !since(before, std::nullopt).empty()) news().notify_all();
}

void UserFeed::take(const Row& row) {
    auto& entry = entries_[row.workspace.id];
    entry.workspace.put(writer_(row.workspace), version_);
    gone_.erase(row.workspace.id);
    // A start may have made a project for it, or a volume.
    if (entry.workspace.version == version_ && version_ > 1) projects_due_ = true;
    std::map<base::OperationId, Told> kept;
    for (const auto& operation : row.operations) {
        auto& told = kept[operation.id];
        const auto known = entry.operations.find(operation.id);
        if (known != entry.operations.end()) told = std::move(known->second);
        // Old ones are no news to a feed that begins.
        const bool old = version_ == 1 && operation.id != row.operations.front().id;
        told.put(writer_(operation), old ? 0 : version_);
    }
    entry.operations = std::move(kept);
    std::vector<std::pair<model::LifeEventId, Told>> history;
    for (const auto& event : row.history | std::views::reverse) {
        const auto known =
            std::ranges::find(entry.history, event.id, [](const auto& each) { return each.first; });
        if (known != entry.history.end()) {
            history.push_back(std::move(*known));
        } else {
            // Old ones are no news to a feed that begins.
            history.emplace_back(event.id, Told{writer_(event), version_ == 1 ? 0 : version_});
        }
    }
    entry.history = std::move(history);
    if (!row.operations.empty()) entry.latest = row.operations.front().id;
}

void UserFeed::remove(const base::WorkspaceId& workspace) {
    entries_.erase(workspace);
    gone_[workspace].put(writer_(WorkspaceGone{workspace}), version_);
    if (gone_.size() > kMostGone)
        gone_.erase(
            std::ranges::min_element(gone_, {}, [](const auto& each) { return each.second.version; }));
}

std::string UserFeed::present(const std::optional<base::WorkspaceId>& only) const {
    std::string text;
    AllThere there;
    for (const auto& [id, entry] : entries_) {
        if (only && id != *only) continue;
        there.workspaces.push_back(id);
        text += entry.workspace.text;
        if (const auto latest = entry.operations.find(entry.latest); latest != entry.operations.end())
            text += latest->second.text;
    }
    if (!only) {
        text += projects_.present();
        there.projects = projects_.ids();
    }
    return text + writer_(there);
}

std::string UserFeed::since(std::uint64_t version, const std::optional<base::WorkspaceId>& only) const {
    std::string text;
    for (const auto& [id, entry] : entries_) {
        if (only && id != *only) continue;
        if (entry.workspace.version > version) text += entry.workspace.text;
        for (const auto& [operation, told] : entry.operations)
            if (told.version > version) text += told.text;
        for (const auto& [event, told] : entry.history)
            if (told.version > version) text += told.text;
    }
    for (const auto& [id, told] : gone_)
        if (told.version > version && (!only || id == *only)) text += told.text;
    return only ? text : text + projects_.since(version);
}

UserEvents::UserEvents(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                       UserEventWriter writer)
    : executor_(executor),
      clock_(clock),
      store_(store),
      writer_(std::move(writer)),
      scope_(std::move(executor)) {}

std::shared_ptr<FeedWatch> UserEvents::watch(const base::UserId& user,
                                             std::optional<base::WorkspaceId> only) {
    if (finished_) throw shutting_down();
    auto& feed = feeds_[user];
    const bool fresh = !feed || feed->ended();
    if (fresh) feed = std::make_shared<UserFeed>(executor_, clock_, store_, user, writer_);
    auto watch = std::make_shared<EventWatch>(clock_, feed, std::move(only));
    if (fresh) scope_.spawn("tell of what is a user's", run(feed));
    return watch;
}

Task<> UserEvents::run(std::shared_ptr<UserFeed> feed) {
    std::exception_ptr failure;
    try {
        co_await feed->run();
    } catch (...) {
        failure = std::current_exception();
    }
    feed->finish();
    const auto found = feeds_.find(feed->user());
    if (found != feeds_.end() && found->second == feed) feeds_.erase(found);
    if (failure) std::rethrow_exception(failure);
}

void UserEvents::changed(const base::WorkspaceId& workspace) {
    for (const auto& [user, feed] : feeds_)
        feed->changed(workspace);
}

void UserEvents::changed_of(const base::UserId& user) {
    if (const auto found = feeds_.find(user); found != feeds_.end()) found->second->look_at_all();
}

void UserEvents::projects_changed_of(const base::UserId& user) {
    if (const auto found = feeds_.find(user); found != feeds_.end()) found->second->look_at_projects();
}

std::int64_t UserEvents::watchers() const {
    std::int64_t all = 0;
    for (const auto& [user, feed] : feeds_)
        all += feed->watchers();
    return all;
}

void UserEvents::finish() {
    finished_ = true;
    for (const auto& [user, feed] : feeds_)
        feed->finish();
}

Task<> UserEvents::stop() {
    finish();
    co_await scope_.close();
}

}  // namespace agentdb9::services
