// Credentials that were checked before, one cache a worker. A seeded hash only picks the slot; the whole text
// is compared, and the time of expiry looked at, on every hit. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.hpp"

namespace agentdb9::proxy {

using PrincipalPtr = std::shared_ptr<const auth::Principal>;

class TokenCache {
  public:
    // `slots`: rounded up to a power of two. Of two credentials in one slot the newer stays.
    explicit TokenCache(std::size_t slots);

    PrincipalPtr find(auth::Credential::Kind kind, std::string_view text, base::Time now) const;
    void put(auth::Credential credential, PrincipalPtr principal);

    // Drops what it covers and remembers it for revoked_since().
    void revoke(const auth::Revocation& revocation);
    // Grows with each revocation.
    std::uint64_t epoch() const { return epoch_; }
    // Whether a revocation after `epoch` covers the principal: what was asked before it came may be answered
    // after.
    bool revoked_since(std::uint64_t epoch, const auth::Principal& principal) const;

    std::size_t size() const;

  private:
    struct Slot {
        auth::Credential credential;
        PrincipalPtr principal;
    };
    std::size_t slot_of(std::string_view text) const;

    std::vector<Slot> slots_;
    std::uint64_t seed_;
    std::uint64_t epoch_ = 0;
    std::deque<auth::Revocation> recent_;  // the last of them, newest at the back
};

}  // namespace agentdb9::proxy
