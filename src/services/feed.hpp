// What any number watch: who watches, when there is news, and when it ends. Control executor.
//
// Each watcher holds its presence(); once the last has let go of that, on whatever thread, the feed ends
// by itself within a second or so.
#pragma once

#include <memory>

#include "base/async.hpp"
#include "base/error.hpp"

namespace agentdb9::services {

class Feed {
  public:
    explicit Feed(const asio::any_io_executor& executor) : news_(executor) {}
    virtual ~Feed() = default;
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    std::shared_ptr<const void> presence();
    bool watched() const { return !watchers_.expired(); }
    long watchers() const { return watchers_.use_count(); }

    // Told with whatever there is anew for those who watch.
    base::Signal& news() { return news_; }
    // Nothing more comes; whoever waits is told.
    virtual void finish();
    bool ended() const { return ended_; }

  private:
    std::weak_ptr<const void> watchers_;
    base::Signal news_;
    bool ended_ = false;
};

// kUnavailable "shutting_down".
base::Error shutting_down();

}  // namespace agentdb9::services
