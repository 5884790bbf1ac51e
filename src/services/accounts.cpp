#include "services/accounts.hpp"

#include "auth/email.hpp"
#include "auth/tokens.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "services/revocation_notice.hpp"

namespace agentdb9::services {
namespace {

using base::Error;
using base::ErrorCode;

// Only failures count, so that many people behind one address are not in one another's way.
constexpr auth::RateLimit kFailuresOfAddress{.burst = 30, .refill = std::chrono::seconds(2)};
constexpr auth::RateLimit kFailuresOfAccount{.burst = 10, .refill = std::chrono::seconds(15)};
constexpr auth::RateLimit kRegistrationsOfAddress{.burst = 60, .refill = std::chrono::seconds(5)};

Error invalid_credentials() {
    return Error(ErrorCode::kUnauthenticated, "invalid_credentials",
                 "The email address or the password is wrong.");
}

std::optional<std::string> none_if_empty(std::string text) {
    if (text.empty()) return std::nullopt;
    return text;
}

}  // namespace

AccountService::AccountService(store::Store& store, const base::Clock& clock, const auth::Keys& keys,
                               PasswordHasher& hasher, Authenticator& authenticator,
                               const AccountOptions& options)
    : store_(store),
      clock_(clock),
      keys_(keys),
      hasher_(hasher),
      authenticator_(authenticator),
      options_(options),
      by_address_(kFailuresOfAddress),
      by_account_(kFailuresOfAccount),
      registrations_(kRegistrationsOfAddress) {}

void AccountService::require_registration_open() const {
    if (options_.registration_open) return;
    throw Error(ErrorCode::kForbidden, "registration_closed",
                "Registration is closed on this server: ask its administrator for an account.");
}

Task<SessionTokens> AccountService::register_account(NewAccount account, Client client) {
    require_registration_open();
    check_new_account(account);
    take(registrations_, client.address);
    auto user = make_user(account, co_await hasher_.hash(account.password), clock_.now());
    user.last_login_at = user.created_at;
    auto session = make_session(user, client);
    auto refresh_token = auth::make_refresh_token(session.id, keys_.refresh_tokens);
    session.refresh_hash = auth::token_hash(refresh_token);
    co_await store_.write([user, session](store::Transaction& tx) {
        tx.users().insert(user);
        tx.sessions().insert(session);
    });
    log::info("account registered", {{"user", user.id.view()}});
    co_return tokens_of(std::move(user), session, std::move(refresh_token));
}

Task<SessionTokens> AccountService::login(std::string email, std::string password, Client client) {
    // What is no address is an account that nobody has: it takes the same way through here.
    const std::string address = auth::normalize_email(email).value_or(std::string());
    take(by_address_, client.address);
    take(by_account_, address);

    const auto found =
        co_await store_.read([address](store::Transaction& tx) { return tx.users().find_by_email(address); });
    bool right = false;
    if (found) {
        right = co_await hasher_.verify(password, found->password_hash);
    } else {
        // As long as a check takes, so that the time does not tell who has an account.
        co_await hasher_.hash(password);
    }
    if (!found || !right || !found->is_active) {
        log::warning("login refused", {{"address", client.address}});
        throw invalid_credentials();
    }
    by_address_.give_back(client.address);
    by_account_.give_back(address);

    std::optional<std::string> new_hash;
    if (hasher_.needs_rehash(found->password_hash)) new_hash = co_await hasher_.hash(password);
    auto session = make_session(*found, client);
    auto refresh_token = auth::make_refresh_token(session.id, keys_.refresh_tokens);
    session.refresh_hash = auth::token_hash(refresh_token);
    auto user = co_await store_.write([id = found->id, checked = found->password_hash, new_hash, session,
                                       now = clock_.now()](store::Transaction& tx) {
        auto row = tx.users().find(id);
        // The password was changed, or the account closed, while the old one was being checked.
        if (!row || !row->is_active || row->password_hash != checked) throw invalid_credentials();
        if (new_hash) row->password_hash = *new_hash;
        row->last_login_at = now;
        tx.users().update(*row);
        tx.sessions().insert(session);
        return *row;
    });
    co_return tokens_of(std::move(user), session, std::move(refresh_token));
}

Task<model::User> AccountService::profile(auth::Principal principal) {
    co_return co_await require_user(principal.user);
}

Task<model::User> AccountService::update_profile(auth::Principal principal, ProfileChange change) {
    if (change.username) check_username(*change.username);
    std::optional<std::string> checked;
    if (change.email) {
        change.email = check_email(*change.email);
        const auto user = co_await require_user(principal.user);
        if (*change.email == user.email) {
            change.email.reset();
        } else {
            if (!change.current_password) {
                throw base::invalid_field("currentPassword", "is required to change the email address");
            }
            co_await require_password(user, *change.current_password);
            checked = user.password_hash;
        }
    }
    auto user = co_await store_.write(
        [change, checked, id = principal.user, now = clock_.now()](store::Transaction& tx) {
            auto row = tx.users().find(id);
            if (!row) throw base::not_found("user");
            if (checked && row->password_hash != *checked) {
                throw base::conflict("password_changed", "The password was changed meanwhile: try again.");
            }
            if (change.email) row->email = *change.email;
            if (change.username) row->username = *change.username;
            if (change.first_name) row->first_name = none_if_empty(*change.first_name);
            if (change.last_name) row->last_name = none_if_empty(*change.last_name);
            if (change.preferences) row->preferences = *change.preferences;
            row->updated_at = now;
            tx.users().update(*row);
            return *row;
        });
    co_return user;
}

Task<> AccountService::change_password(auth::Principal principal, std::string current, std::string next) {
    check_password("newPassword", next);
    const auto user = co_await require_user(principal.user);
    co_await require_password(user, std::move(current));
    auto hash = co_await hasher_.hash(std::move(next));
    const auth::Revocation revocation{
        .user = user.id, .session = {}, .api_token = {}, .except_session = principal.session};
    co_await store_.write([revocation, id = user.id, checked = user.password_hash, hash = std::move(hash),
                           now = clock_.now(), session = principal.session](store::Transaction& tx) {
        auto row = tx.users().find(id);
        if (!row) throw base::not_found("user");
        if (row->password_hash != checked) {
            throw base::conflict("password_changed", "The password was changed meanwhile: try again.");
        }
        row->password_hash = hash;
        row->updated_at = now;
        tx.users().update(*row);
        tx.sessions().revoke_all(id, now, session);
        tx.notices().send(to_notice(revocation));
    });
    authenticator_.revoke(revocation);
    log::info("password changed", {{"user", user.id.view()}});
}

void AccountService::take(auth::RateLimiter& limiter, const std::string& key) {
    if (!options_.rate_limit) return;
    const auto wait = limiter.take(key, clock_.steady_now());
    if (!wait) return;
    const auto seconds = static_cast<int>(wait->count());
    throw Error(ErrorCode::kRateLimited, "rate_limited",
                "Too many tries: wait " + std::to_string(seconds) + " s, then try again.")
        .with_retry_after(seconds);
}

Task<model::User> AccountService::require_user(base::UserId user) {
    auto row = co_await store_.read([user](store::Transaction& tx) { return tx.users().find(user); });
    if (!row) throw base::not_found("user");
    co_return *row;
}

Task<> AccountService::require_password(model::User user, std::string password) {
    take(by_account_, user.email);
    if (!co_await hasher_.verify(std::move(password), user.password_hash)) {
        throw Error(ErrorCode::kInvalid, "wrong_password", "The current password is wrong.")
            .with_field("currentPassword", "is not the account's password");
    }
    by_account_.give_back(user.email);
}

}  // namespace agentdb9::services
