#include "services/user_administration.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/error.hpp"
#include "services/account_rules.hpp"
#include "services/revocation_notice.hpp"

namespace agentdb9::services {
namespace {

constexpr std::string_view kFirstAdminEmail = "admin@localhost";
constexpr std::string_view kFirstAdminName = "admin";
constexpr std::size_t kOneTimePasswordBytes = 15;  // 20 characters

// The part before the '@', which a person chose for themselves.
std::string name_in(const std::string& email) {
    return email.substr(0, email.find('@'));
}

}  // namespace

Task<std::optional<NewUser>> UserAdministration::ensure_first_admin(FirstAdminOptions options) {
    struct Count {
        std::int64_t users = 0;
        std::int64_t admins = 0;
    };
    const auto count = co_await store_.read(
        [](store::Transaction& tx) { return Count{tx.users().count(), tx.users().count_admins()}; });
    const bool wanted = count.users == 0 || (count.admins == 0 && options.email && options.password);
    if (!wanted) co_return std::nullopt;
    auto email = options.email.value_or(std::string(kFirstAdminEmail));
    auto name = options.email ? name_in(*options.email) : std::string(kFirstAdminName);
    co_return co_await create(std::move(email), std::move(name), options.password, model::Role::kAdmin);
}

Task<NewUser> UserAdministration::create(std::string email, std::string username,
                                         std::optional<std::string> password, model::Role role) {
    std::optional<std::string> one_time;
    if (!password) one_time = base::random_token(kOneTimePasswordBytes);
    NewAccount account{std::move(email), std::move(username), password ? *password : *one_time, {}, {}};
    check_new_account(account);
    auto user = make_user(account, co_await hasher_.hash(account.password), clock_.now());
    user.role = role;
    co_await store_.write([user](store::Transaction& tx) { tx.users().insert(user); });
    co_return NewUser{std::move(user), std::move(one_time)};
}

Task<std::vector<model::User>> UserAdministration::list() {
    co_return co_await store_.read([](store::Transaction& tx) { return tx.users().all(); });
}

Task<model::User> UserAdministration::find(std::string id_or_email) {
    auto user = co_await store_.read([id_or_email](store::Transaction& tx) {
        if (auto id = base::UserId::parse(id_or_email)) return tx.users().find(*id);
        return tx.users().find_by_email(id_or_email);
    });
    if (!user) {
        throw base::Error(base::ErrorCode::kNotFound, "user_not_found",
                          "No user has this id or email address.");
    }
    co_return *user;
}

Task<UserFacts> UserAdministration::facts(std::string id_or_email) {
    auto user = co_await find(std::move(id_or_email));
    co_return co_await store_.read([user, now = clock_.now()](store::Transaction& tx) {
        UserFacts facts{.user = user};
        facts.workspaces = std::ssize(tx.workspaces().of_user(user.id).rows);
        facts.projects = tx.projects().count_of_user(user.id);
        facts.sessions = std::ranges::count_if(tx.sessions().of_user(user.id), [&](const auto& session) {
            return !session.revoked_at && session.expires_at > now;
        });
        facts.api_tokens = std::ranges::count_if(tx.api_tokens().of_user(user.id), [&](const auto& token) {
            return !token.expires_at || *token.expires_at > now;
        });
        return facts;
    });
}

Task<model::User> UserAdministration::set_role(base::UserId user, model::Role role) {
    return change(user, [role](model::User& row) { row.role = role; }, false);
}

Task<model::User> UserAdministration::set_active(base::UserId user, bool active) {
    return change(user, [active](model::User& row) { row.is_active = active; }, !active);
}

Task<NewUser> UserAdministration::reset_password(base::UserId user, std::optional<std::string> password) {
    const bool one_time = !password;
    return update(user,
                  {.role = {}, .active = {}, .password = std::move(password), .reset_password = one_time});
}

Task<NewUser> UserAdministration::update(base::UserId user, UserUpdate update) {
    std::optional<std::string> one_time;
    if (update.reset_password) update.password = one_time = base::random_token(kOneTimePasswordBytes);
    std::optional<std::string> hash;
    if (update.password) {
        check_password("password", *update.password);
        hash = co_await hasher_.hash(std::move(*update.password));
    }
    const bool ends_sessions = hash || update.active == false;
    auto row = co_await change(
        user,
        [hash, role = update.role, active = update.active](model::User& changed) {
            if (role) changed.role = *role;
            if (active) changed.is_active = *active;
            if (hash) changed.password_hash = *hash;
        },
        ends_sessions);
    co_return NewUser{std::move(row), std::move(one_time)};
}

Task<model::User> UserAdministration::change(base::UserId user, std::function<void(model::User&)> apply,
                                             bool end_sessions) {
    const auth::Revocation revocation{.user = user, .session = {}, .api_token = {}, .except_session = {}};
    auto [row, differs] = co_await store_.write(
        [revocation, user, apply, end_sessions, now = clock_.now()](store::Transaction& tx) {
            auto changed = tx.users().find(user);
            if (!changed) throw base::not_found("user");
            const auto before = *changed;
            apply(*changed);
            // What is so already is no reason to close anything.
            if (changed->role == before.role && changed->is_active == before.is_active &&
                changed->password_hash == before.password_hash)
                return std::pair(before, false);
            changed->updated_at = now;
            tx.users().update(*changed);
            const bool was_admin = before.is_active && before.role == model::Role::kAdmin;
            if (was_admin && tx.users().count_admins() == 0) {
                throw base::conflict("last_admin", "This is the last active admin: make another one first.");
            }
            if (end_sessions) tx.sessions().revoke_all(user, now, std::nullopt);
            tx.notices().send(to_notice(revocation));
            return std::pair(*changed, true);
        });
    if (differs) authenticator_.revoke(revocation);
    co_return row;
}

}  // namespace agentdb9::services
