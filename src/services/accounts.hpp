// Accounts as their owners use them: register, log in and out, keep a session going, profile and password.
// Control executor. Every call throws base::Error; when the store does not answer, kUnavailable.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "auth/keys.hpp"
#include "auth/principal.hpp"
#include "auth/rate_limiter.hpp"
#include "base/clock.hpp"
#include "services/account_rules.hpp"
#include "services/authenticator.hpp"
#include "services/password_hasher.hpp"
#include "store/store.hpp"

namespace agentdb9::services {

inline constexpr std::chrono::days kSessionLife{30};  // since its last refresh

struct AccountOptions {
    bool registration_open = false;
    bool rate_limit = true;
};

// Where a call comes from.
struct Client {
    std::string address;
    std::string user_agent;
};

struct SessionTokens {
    model::User user;
    std::string access_token;
    std::string refresh_token;
    std::chrono::seconds expires_in;  // of the access token
    base::Time session_expires_at;    // unless it is refreshed before
};

struct ProfileChange {
    std::optional<std::string> email;  // needs `current_password`
    std::optional<std::string> username;
    std::optional<std::string> first_name;  // empty: none
    std::optional<std::string> last_name;
    std::optional<json::object> preferences;
    std::optional<std::string> current_password;
};

// What becomes of a refresh token that its session has already exchanged.
enum class Reuse {
    kStolen,         // the session ends
    kMaybeTwoPages,  // the same within ten seconds of the exchange is told 409 instead: pages of one browser
                     // share a cookie, and two of them may refresh at once
};

class AccountService {
  public:
    // All references outlive this.
    AccountService(store::Store& store, const base::Clock& clock, const auth::Keys& keys,
                   PasswordHasher& hasher, Authenticator& authenticator, const AccountOptions& options);

    void set_options(const AccountOptions& options) { options_ = options; }
    // Throws kForbidden "registration_closed" when it is.
    void require_registration_open() const;

    // kForbidden "registration_closed", kInvalid, kConflict "email_taken", kRateLimited.
    Task<SessionTokens> register_account(NewAccount account, Client client);
    // kUnauthenticated "invalid_credentials" alike for an unknown address, a wrong password and an account
    // that is not active; kRateLimited.
    Task<SessionTokens> login(std::string email, std::string password, Client client);
    // The token is good once. kUnauthenticated "invalid_refresh_token" | "refresh_token_reused" (the session
    // has ended with it), kConflict "refresh_in_progress".
    Task<SessionTokens> refresh(std::string refresh_token, Reuse reuse, Client client);
    // Those of `texts` that this server made, the first of each session: what others made up says nothing.
    std::vector<std::string> own_refresh_tokens(std::vector<std::string> texts) const;
    // Ends the principal's session and that of the refresh token, where it is the same user's. An unknown
    // token is no error.
    Task<> logout(auth::Principal principal, std::optional<std::string> refresh_token);

    Task<model::User> profile(auth::Principal principal);
    Task<model::User> update_profile(auth::Principal principal, ProfileChange change);
    // Ends every other session of the user; API tokens stay. kInvalid "wrong_password".
    Task<> change_password(auth::Principal principal, std::string current, std::string next);

    // Deletes what is over: sessions and tickets. Called now and then.
    Task<> prune();

  private:
    // Throws kRateLimited.
    void take(auth::RateLimiter& limiter, const std::string& key);
    Task<model::User> require_user(base::UserId user);
    Task<> require_password(model::User user, std::string password);
    model::Session make_session(const model::User& user, const Client& client) const;
    SessionTokens tokens_of(model::User user, const model::Session& session, std::string refresh_token) const;

    store::Store& store_;
    const base::Clock& clock_;
    const auth::Keys& keys_;
    PasswordHasher& hasher_;
    Authenticator& authenticator_;
    AccountOptions options_;
    auth::RateLimiter by_address_;
    auth::RateLimiter by_account_;
    auth::RateLimiter registrations_;
};

}  // namespace agentdb9::services
