#include "services/monitoring_service.hpp"

namespace agentdb9::services {
MonitoringService::MonitoringService(asio::any_io_executor executor, base::Clock& clock,
                                     runtime::Monitoring& monitoring, const InstanceFinder& finder,
                                     LogReader& reader, Writers writers)
    : tools_{executor, clock, finder},
      monitoring_(monitoring),
      reader_(reader),
      writers_(std::move(writers)),
      scope_(std::move(executor)) {}

// The presence is there before the feed runs: it would end at once.
template <class Kind>
Task<> MonitoringService::run(Feeds<Kind>& feeds, std::shared_ptr<Kind> feed) {
    std::exception_ptr failure;
    try {
        co_await feed->run();
    } catch (...) {
        failure = std::current_exception();
    }
    feed->finish();
    // The next who comes gets one that begins anew.
    const auto found = feeds.find(feed->workspace());
    if (found != feeds.end() && found->second == feed) feeds.erase(found);
    if (failure) std::rethrow_exception(failure);
}

Task<std::shared_ptr<LogWatch>> MonitoringService::watch_log(base::UserId user, base::WorkspaceId workspace,
                                                             LogStart start) {
    co_await look(user, workspace);
    auto& feed = logs_[workspace];
    const bool fresh = !feed || feed->ended();
    if (fresh)
        feed = std::make_shared<LogFeed>(tools_, workspace, monitoring_, writers_.log, streams_.log_streams);
    auto watch = std::make_shared<LogWatch>(tools_.clock, feed, reader_, tools_.finder, std::move(start));
    if (fresh) scope_.spawn("follow a log", run(logs_, feed));
    co_return watch;
}

Task<std::shared_ptr<UsageWatch>> MonitoringService::watch_usage(base::UserId user,
                                                                 base::WorkspaceId workspace) {
    co_await look(user, workspace);
    auto& feed = usages_[workspace];
    const bool fresh = !feed || feed->ended();
    if (fresh)
        feed = std::make_shared<UsageFeed>(tools_, workspace, monitoring_, writers_.usage,
                                           streams_.usage_streams);
    auto watch = std::make_shared<UsageWatch>(tools_.clock, feed);
    if (fresh) scope_.spawn("follow a container's use", run(usages_, feed));
    co_return watch;
}

Task<> MonitoringService::look(base::UserId user, base::WorkspaceId workspace) {
    co_await tools_.finder.current(workspace, user);
    if (finished_) throw shutting_down();
}

void MonitoringService::changed(const base::WorkspaceId& workspace) {
    if (const auto found = logs_.find(workspace); found != logs_.end()) found->second->look_again();
    if (const auto found = usages_.find(workspace); found != usages_.end()) found->second->look_again();
}

MonitoringCounts MonitoringService::counts() const {
    auto all = streams_;
    for (const auto& [id, feed] : logs_)
        all.log_watchers += feed->watchers();
    for (const auto& [id, feed] : usages_)
        all.usage_watchers += feed->watchers();
    return all;
}

void MonitoringService::finish() {
    finished_ = true;
    for (const auto& [id, feed] : logs_)
        feed->finish();
    for (const auto& [id, feed] : usages_)
        feed->finish();
}

Task<> MonitoringService::stop() {
    finish();
    co_await scope_.close();
}

}  // namespace agentdb9::services
