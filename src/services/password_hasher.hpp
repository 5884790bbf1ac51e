// Password hashing off the control executor, on a few threads of its own: each run takes the memory of its
// cost, so only so many run at once and only so many wait. Control executor.
#pragma once

#include <cstddef>
#include <string>

#include "auth/passwords.hpp"
#include "base/async.hpp"

namespace agentdb9::services {

class PasswordHasher {
  public:
    // `threads` = 0: the work runs at once on the caller's thread (tests).
    PasswordHasher(std::size_t threads, const auth::PasswordCost& cost) : cost_(cost), pool_(threads) {}

    // Both throw Error{kUnavailable, "busy"} when too many wait.
    Task<std::string> hash(std::string password);
    Task<bool> verify(std::string password, std::string hash);

    bool needs_rehash(const std::string& hash) const { return auth::needs_rehash(hash, cost_); }

  private:
    auth::PasswordCost cost_;
    std::size_t in_flight_ = 0;
    base::BlockingPool pool_;
};

}  // namespace agentdb9::services
