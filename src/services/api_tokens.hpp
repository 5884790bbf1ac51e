// API tokens as their owners use them. Control executor. Every call throws base::Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "services/authenticator.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

struct NewApiToken {
    model::ApiToken row;
    std::string text;  // the only time that it is known
};

class ApiTokenService {
  public:
    // All references outlive this.
    ApiTokenService(store::Store& store, const base::Clock& clock, Authenticator& authenticator)
        : store_(store), clock_(clock), authenticator_(authenticator) {}

    // Newest first; hints only. Their last use to within a minute; what other servers on the database have
    // not written yet is missing.
    Task<std::vector<model::ApiToken>> list(auth::Principal principal);
    // Only from a session: a token that leaked must not be able to make itself a successor (kForbidden
    // "session_required"). kInvalid for an end that is not ahead; kNotFound for a workspace that is not the
    // user's; kQuota "too_many_tokens". One for a workspace is never full: it gets to write.
    Task<NewApiToken> create(auth::Principal principal, std::string name,
                             std::optional<base::Time> expires_at, model::TokenScope scope = {});
    // Good at once. kNotFound for another's.
    Task<> remove(auth::Principal principal, base::ApiTokenId id);

  private:
    store::Store& store_;
    const base::Clock& clock_;
    Authenticator& authenticator_;
};

}  // namespace agentdb9::services
