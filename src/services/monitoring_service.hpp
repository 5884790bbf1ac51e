// Who follows what of which workspace: a feed for each that is followed, made for the first who comes and
// gone after the last. Control executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "services/log_feed.hpp"
#include "services/log_reader.hpp"
#include "services/log_watch.hpp"
#include "services/usage_feed.hpp"

namespace agentdb9::services {

struct MonitoringCounts {
    std::int64_t log_streams = 0;  // of the engine's that are open
    std::int64_t log_watchers = 0;
    std::int64_t usage_streams = 0;
    std::int64_t usage_watchers = 0;
};

class MonitoringService {
  public:
    struct Writers {
        LogFeed::Writer log;
        UsageFeed::Writer usage;
    };
    MonitoringService(asio::any_io_executor executor, base::Clock& clock, runtime::Monitoring& monitoring,
                      const InstanceFinder& finder, LogReader& reader, Writers writers);

    // Throws what InstanceFinder::current() throws: what the user does not own, or the engine being down, is
    // told before anything is followed.
    Task<std::shared_ptr<LogWatch>> watch_log(base::UserId user, base::WorkspaceId workspace, LogStart start);

    Task<std::shared_ptr<UsageWatch>> watch_usage(base::UserId user, base::WorkspaceId workspace);

    // Something of the workspace may have changed.
    void changed(const base::WorkspaceId& workspace);
    MonitoringCounts counts() const;

    // Every watcher is told what is left, and that it ends; no new ones come.
    void finish();
    Task<> stop();

  private:
    template <class Kind>
    using Feeds = std::unordered_map<base::WorkspaceId, std::shared_ptr<Kind>>;

    // Throws where none may be watched.
    Task<> look(base::UserId user, base::WorkspaceId workspace);
    template <class Kind>
    Task<> run(Feeds<Kind>& feeds, std::shared_ptr<Kind> feed);

    FollowerTools tools_;
    runtime::Monitoring& monitoring_;
    LogReader& reader_;
    Writers writers_;
    bool finished_ = false;
    MonitoringCounts streams_;
    Feeds<LogFeed> logs_;
    Feeds<UsageFeed> usages_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
