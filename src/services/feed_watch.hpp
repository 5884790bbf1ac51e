// One who watches a feed: when they are told something, and when it ends. Control executor, but for the end
// of its life, which may come on any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "services/feed.hpp"

namespace agentdb9::services {

class FeedWatch {
  public:
    FeedWatch(base::Clock& clock, std::shared_ptr<Feed> feed);
    virtual ~FeedWatch() = default;
    FeedWatch(const FeedWatch&) = delete;
    FeedWatch& operator=(const FeedWatch&) = delete;

    // The events that come next, as the feed writes them. Empty: nothing happened for a while. Absent: it
    // ends, and may be begun again.
    Task<std::optional<std::string>> next();

  protected:
    // There is what begin() needs.
    virtual bool ready() const = 0;
    // Once, before the first take().
    virtual Task<> begin() = 0;
    // Whatever there is now, some tens of kilobytes of it at most.
    virtual std::string take() = 0;
    // After that nothing more comes for this one, although the feed goes on.
    virtual bool over() const { return false; }

  private:
    base::Clock& clock_;
    std::shared_ptr<Feed> feed_;
    std::shared_ptr<const void> presence_;
    base::SteadyTime until_;
    bool begun_ = false;
};

}  // namespace agentdb9::services
