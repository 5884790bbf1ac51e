// Who a credential belongs to. The store's word counts, not the token's: the session or API token must still
// be there and the user active, and the role is the user's present one. Asked by the API and, on a miss of
// their own caches, by the data plane's workers. Control executor.
#pragma once

#include <expected>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/failure.hpp"
#include "auth/keys.hpp"
#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class Authenticator {
  public:
    // All three outlive this.
    Authenticator(store::Store& store, const base::Clock& clock, const auth::Keys& keys)
        : store_(store), clock_(clock), keys_(keys) {}

    // Bearer: an access token or an API token. Application cookie: the cookie's value; the principal then has
    // its scope. A principal that a revocation covers is never returned after that revocation's revoke(),
    // whatever was read before. Throws only when cancelled.
    Task<std::expected<auth::Principal, auth::Failure>> authenticate(auth::Credential credential);

    // When an API token was last used, as far as it is not written yet: no request waits for that. Of what
    // only opens applications a quarter of an hour may be missing: the data plane asks no more often.
    std::optional<base::Time> noted_use(const base::ApiTokenId& token) const;
    // Writes them, in one transaction; called once a minute and at the end. What fails (base::Error) is kept
    // for the next time.
    Task<> write_uses();

    // To be called, without waiting in between, once the store has the change: forgets what the revocation
    // covers and tells the subscribers. Principals that stay valid are read anew when they are next asked
    // for.
    void revoke(const auth::Revocation& revocation);
    // Called within revoke(), on the control executor. Before serving.
    void subscribe(std::function<void(const auth::Revocation&)> subscriber);

    std::size_t cached() const { return cache_.size(); }

  private:
    struct Claim;
    struct Entry {
        auth::Principal principal;
        base::SteadyTime checked_at;
    };
    using Answer = std::expected<auth::Principal, auth::Failure>;

    std::expected<Claim, auth::Failure> read(const auth::Credential& credential) const;
    Task<Answer> resolve(Claim claim);
    void remember(const std::string& key, const auth::Principal& principal);
    void note_use(const auth::Principal& principal);

    store::Store& store_;
    const base::Clock& clock_;
    const auth::Keys& keys_;
    std::unordered_map<std::string, Entry> cache_;        // by the digest of the credential
    std::list<std::vector<auth::Revocation>> in_flight_;  // what came since each open question was asked
    std::map<base::ApiTokenId, base::Time> uses_;
    std::vector<std::function<void(const auth::Revocation&)>> subscribers_;
};

}  // namespace agentdb9::services
