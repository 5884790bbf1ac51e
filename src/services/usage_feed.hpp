// What one workspace's container uses, for all who watch: one stream of the engine's. Control executor.
#pragma once

#include <functional>
#include <variant>

#include "services/event_ring.hpp"
#include "services/feed_watch.hpp"
#include "services/instance_follower.hpp"

namespace agentdb9::services {

using UsageEvent = std::variant<runtime::Usage, InstanceSeen, Interrupted, Deleted>;

class UsageFeed final : public InstanceFollower {
  public:
    // How an event is written for those who watch: once, for all of them.
    using Writer = std::function<std::string(const UsageEvent&)>;

    // `streams`: how many of the engine's are open, over all feeds; outlives this.
    UsageFeed(const FollowerTools& tools, base::WorkspaceId workspace, runtime::Monitoring& monitoring,
              Writer writer, std::int64_t& streams);

    const EventRing& ring() const { return ring_; }
    // Which instance there is, and its last sample; empty: nothing is known yet.
    std::string present() const { return instance_ + sample_; }

  protected:
    void on_instance(const std::optional<model::Instance>& instance) override;
    Task<> follow(model::Instance instance) override;
    void on_trouble(const base::Error& error) override;
    void on_gone() override;

  private:
    class Intake;

    runtime::Monitoring& monitoring_;
    Writer writer_;
    std::int64_t& streams_;
    EventRing ring_;
    std::string instance_;
    std::string sample_;
    std::string trouble_;  // of which was told last
};

// Begins with what is known; who is slow misses samples, and nothing else.
class UsageWatch final : public FeedWatch {
  public:
    UsageWatch(base::Clock& clock, std::shared_ptr<UsageFeed> feed)
        : FeedWatch(clock, feed), feed_(std::move(feed)) {}

  protected:
    bool ready() const override { return !feed_->present().empty() || feed_->ended(); }
    Task<> begin() override;
    std::string take() override;

  private:
    std::shared_ptr<UsageFeed> feed_;
    std::string first_;
    EventRing::Cursor cursor_;
};

}  // namespace agentdb9::services
