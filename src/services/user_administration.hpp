// Accounts as the operator sees them: the first admin, and what `agentdb9 user` does. Control executor. Every
// call throws base::Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "services/authenticator.hpp"
#include "services/password_hasher.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

// What the configuration says of the first admin.
struct FirstAdminOptions {
    std::optional<std::string> email;
    std::optional<std::string> password;
};

struct NewUser {
    model::User user;
    std::optional<std::string> one_time_password;  // when none was given: to be shown once and nowhere kept
};

// What an operator wants to know of an account before changing it.
struct UserFacts {
    model::User user;
    std::int64_t workspaces = 0;
    std::int64_t projects = 0;
    std::int64_t sessions = 0;    // that are open
    std::int64_t api_tokens = 0;  // that are valid
};

// What is absent stays. A password ends every session; of the two, `reset_password` makes a one-time one.
struct UserUpdate {
    std::optional<model::Role> role;
    std::optional<bool> active;
    std::optional<std::string> password;
    bool reset_password = false;
};

class UserAdministration {
  public:
    // All references outlive this.
    UserAdministration(store::Store& store, const base::Clock& clock, PasswordHasher& hasher,
                       Authenticator& authenticator)
        : store_(store), clock_(clock), hasher_(hasher), authenticator_(authenticator) {}

    // Makes the first admin where there are no users, or where there is no active admin and both of `options`
    // are given. Absent when there is nothing to do. kInvalid for an address or password that cannot be one;
    // kConflict "email_taken" when that address is a plain user's.
    Task<std::optional<NewUser>> ensure_first_admin(FirstAdminOptions options);

    // kInvalid, kConflict "email_taken".
    Task<NewUser> create(std::string email, std::string username, std::optional<std::string> password,
                         model::Role role);
    Task<std::vector<model::User>> list();  // oldest first
    // kNotFound. By id, or by email address.
    Task<model::User> find(std::string id_or_email);
    Task<UserFacts> facts(std::string id_or_email);

    // Both take effect at once, on open connections too. kConflict "last_admin" when no active admin would be
    // left.
    Task<model::User> set_role(base::UserId user, model::Role role);
    Task<model::User> set_active(base::UserId user, bool active);
    // All at once, or nothing; as the three above and below.
    Task<NewUser> update(base::UserId user, UserUpdate update);
    // Ends every session of the user; without a password, makes a one-time one.
    Task<NewUser> reset_password(base::UserId user, std::optional<std::string> password);

  private:
    Task<model::User> change(base::UserId user, std::function<void(model::User&)> apply, bool end_sessions);

    store::Store& store_;
    const base::Clock& clock_;
    PasswordHasher& hasher_;
    Authenticator& authenticator_;
};

}  // namespace agentdb9::services
