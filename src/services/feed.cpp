#include "services/feed.hpp"

namespace agentdb9::services {

std::shared_ptr<const void> Feed::presence() {
    auto shared = watchers_.lock();
    if (!shared) {
        shared = std::make_shared<char>();
        watchers_ = shared;
    }
    return shared;
}

void Feed::finish() {
    ended_ = true;
    news_.notify_all();
}

base::Error shutting_down() {
    return base::Error(base::ErrorCode::kUnavailable, "shutting_down",
                       "The server is shutting down: try again in a moment.")
        .with_retry_after(2);
}

}  // namespace agentdb9::services
