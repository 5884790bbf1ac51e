// One who follows a workspace's log: where they are in it, and what they are told next.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "services/feed_watch.hpp"
#include "services/log_feed.hpp"
#include "services/log_reader.hpp"
#include "services/past_lines.hpp"

namespace agentdb9::services {

// Where a watcher begins: after a line that it has; else with what was printed since a moment; else with the
// last lines.
struct LogStart {
    std::optional<LineId> after;
    std::optional<std::int64_t> since_ns;
    std::uint64_t tail = 200;  // at most LogFeed::kRingLines
};

class LogWatch final : public FeedWatch {
  public:
    LogWatch(base::Clock& clock, std::shared_ptr<LogFeed> feed, LogReader& reader,
             const InstanceFinder& finder, LogStart start);

  protected:
    bool ready() const override { return feed_->ready() || feed_->ended(); }
    Task<> begin() override;
    std::string take() override;

  private:
    // What is not in the ring any more is read once more from the engine.
    Task<> read_past(std::string instance, std::optional<LineId> after, std::optional<std::int64_t> since_ns);
    void skip_told();
    Task<> read_rest_of(std::string short_id, LineId after);
    void take_past(std::string& text);
    // Was the line read by read_past()?
    bool was_past(const LineId& id);

    std::shared_ptr<LogFeed> feed_;
    LogReader& reader_;
    const InstanceFinder& finder_;
    LogStart start_;
    bool lost_unknown_ = false;  // lines are left out, nobody knows how many
    EventRing::Cursor cursor_;
    std::list<PastLines> pasts_;  // each while the ring may still have what was read of it
};

}  // namespace agentdb9::services
