// Sessions as their owners look at them: where they are signed in, and how that ends. Control executor. Every
// call throws base::Error.
#pragma once

#include <vector>

#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "services/authenticator.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class SessionService {
  public:
    // All references outlive this.
    SessionService(store::Store& store, const base::Clock& clock, Authenticator& authenticator)
        : store_(store), clock_(clock), authenticator_(authenticator) {}

    // Those that are open; the one that is asking first, then the last used.
    Task<std::vector<model::Session>> list(auth::Principal principal);
    // At once, with what is open under it. kNotFound for another's, and for one that is over.
    Task<> end(auth::Principal principal, base::SessionId id);
    // All but the one that is asking (an API token: all). Returns how many.
    Task<std::size_t> end_others(auth::Principal principal);

  private:
    store::Store& store_;
    const base::Clock& clock_;
    Authenticator& authenticator_;
};

}  // namespace agentdb9::services
