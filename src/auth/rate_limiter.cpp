#include "auth/rate_limiter.hpp"

#include <algorithm>

namespace agentdb9::auth {

std::optional<std::chrono::seconds> RateLimiter::take(const std::string& key, base::SteadyTime now) {
    auto found = buckets_.find(key);
    if (found == buckets_.end()) {
        if (buckets_.size() >= limit_.max_keys) {
            buckets_.erase(recent_.back().key);
            recent_.pop_back();
        }
        recent_.push_front({key, now});
        found = buckets_.emplace(key, recent_.begin()).first;
    } else {
        recent_.splice(recent_.begin(), recent_, found->second);
    }
    auto& full_at = found->second->full_at;
    const auto after = std::max(full_at, now) + limit_.refill;
    const auto wait = after - now - limit_.burst * limit_.refill;
    if (wait > base::SteadyTime::duration::zero()) return std::chrono::ceil<std::chrono::seconds>(wait);
    full_at = after;
    return std::nullopt;
}

void RateLimiter::give_back(const std::string& key) {
    const auto found = buckets_.find(key);
    if (found != buckets_.end()) found->second->full_at -= limit_.refill;
}

}  // namespace agentdb9::auth
