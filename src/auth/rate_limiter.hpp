// How often something may be tried: a token bucket a key, in a table that cannot grow without bound. Pure:
// the caller says what time it is. One thread at a time.
#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.hpp"

namespace agentdb9::auth {

struct RateLimit {
    int burst = 10;                          // tries at once
    std::chrono::milliseconds refill{6000};  // for one more
    std::size_t max_keys = 10'000;           // beyond them, the one that was used longest ago is forgotten
};

class RateLimiter {
  public:
    explicit RateLimiter(const RateLimit& limit) : limit_(limit) {}

    // Takes one try. Absent: taken. Else how long until there is one again, rounded up to whole seconds.
    std::optional<std::chrono::seconds> take(const std::string& key, base::SteadyTime now);
    // Gives a try back: it was no failure.
    void give_back(const std::string& key);

    std::size_t size() const { return buckets_.size(); }

  private:
    struct Bucket {
        std::string key;
        base::SteadyTime full_at;  // when all tries are there again
    };
    RateLimit limit_;
    std::list<Bucket> recent_;  // the last used first
    std::unordered_map<std::string, std::list<Bucket>::iterator> buckets_;
};

}  // namespace agentdb9::auth
