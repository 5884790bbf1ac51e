// What the other servers on the same database do, brought to this one's services: workspaces that changed are
// looked at again, credentials that were revoked are no longer good here either. Control executor; with one
// server it does nothing.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "services/authenticator.hpp"
#include "services/reconciler.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

class Neighbours {
  public:
    // All references outlive this. `load_adoptions`: reads again what is adopted; absent where the runtime
    // knows of none. `load_shares`: the same for what is shared.
    Neighbours(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
               Reconciler& reconciler, Authenticator& authenticator,
               std::function<Task<>()> load_adoptions = {}, std::function<void()> load_shares = {});

    // After the reconciler's start.
    void start();
    Task<> stop();

  private:
    void on_notice(const std::string& text);
    void on_connected();
    Task<> hear_of_adoption();
    void on_lost();
    // What was told while nobody listened: the database still knows it.
    Task<> catch_up(base::Time since);

    asio::any_io_executor executor_;
    base::Clock& clock_;
    store::Store& store_;
    Reconciler& reconciler_;
    Authenticator& authenticator_;
    std::function<Task<>()> load_adoptions_;
    std::function<void()> load_shares_;
    std::optional<base::Time> deaf_since_;
    std::unique_ptr<store::Store::Subscription> subscription_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
