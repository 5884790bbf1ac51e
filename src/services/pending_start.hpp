// A permission between the moment at which it was checked and the beginning of what it is for: what is
// revoked meanwhile, while a container is looked for, counts too. Control executor.
#pragma once

#include <memory>
#include <vector>

#include "auth/principal.hpp"
#include "base/error.hpp"

namespace agentdb9::services {

// Whoever is about to begin something.
class PendingStart {
  public:
    const auth::Principal& principal() const { return state_->principal; }
    // Throws kUnauthenticated "token_revoked". To be asked in the same step in which what has begun is
    // entered where revocations find it.
    void require_permission() const;

  private:
    friend class PendingStarts;
    struct State {
        auth::Principal principal;
        bool revoked = false;
    };
    explicit PendingStart(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

class PendingStarts {
  public:
    // Right after the permission was checked.
    PendingStart add(auth::Principal principal);
    void revoke(const auth::Revocation& revocation);

  private:
    std::vector<std::weak_ptr<PendingStart::State>> all_;
};

}  // namespace agentdb9::services
