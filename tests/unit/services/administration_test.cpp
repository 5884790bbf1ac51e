#include "services/administration.hpp"

#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using model::Role;

// The rules of accounts; what they are about is in the integration tests, where workspaces run.
class AdministrationTest : public AccountsTest {
  protected:
    AdministrationTest() {
        root_ = run(administration_.create("root@example.org", "root", kPassword, Role::kAdmin)).user;
        ada_ = principal(register_ada());
        const auto in = run(accounts_.login("root@example.org", kPassword, client_));
        admin_ = principal(in);
    }
    std::string change(const base::UserId& id, UserUpdate update) {
        return word_of([&] { run(administration_.update(id, update)); });
    }

    model::User root_{.id = base::UserId::generate()};
    auth::Principal ada_{.user = base::UserId::generate()};
    auth::Principal admin_{.user = base::UserId::generate()};
};

TEST_F(AdministrationTest, SeveralThingsChangeAtOnceOrNone) {
    EXPECT_EQ(change(ada_.user, {.role = Role::kAdmin, .active = {}, .password = "a new password"}), "");
    const auto row = run(administration_.find(ada_.user.str()));
    EXPECT_EQ(row.role, Role::kAdmin);
    EXPECT_EQ(run(accounts_.login("ada@example.org", "a new password", client_)).user.id, ada_.user);
    EXPECT_EQ(change(ada_.user, {.role = Role::kUser, .active = {}, .password = "short"}), "invalid_field");
    EXPECT_EQ(run(administration_.find(ada_.user.str())).role, Role::kAdmin) << "nothing of it";
    EXPECT_EQ(change(base::UserId::generate(), {.role = Role::kUser}), "user_not_found");
}

TEST_F(AdministrationTest, ANewPasswordAndADisabledAccountEndSessions) {
    const auto session = log_in();
    EXPECT_EQ(change(ada_.user, {.role = Role::kUser}), "");
    EXPECT_TRUE(who(session.access_token)) << "a role does not";
    const auto made = run(administration_.update(ada_.user, {.reset_password = true}));
    ASSERT_TRUE(made.one_time_password);
    EXPECT_FALSE(who(session.access_token));
    const auto again = log_in(*made.one_time_password);
    EXPECT_TRUE(who(again.access_token));
    EXPECT_EQ(change(ada_.user, {.active = false}), "");
    EXPECT_FALSE(who(again.access_token));
}

TEST_F(AdministrationTest, WhatIsSoAlreadyClosesNothing) {
    int told = 0;
    authenticator_.subscribe([&](const auth::Revocation&) { ++told; });
    EXPECT_EQ(change(ada_.user, {.role = Role::kUser, .active = true}), "");
    EXPECT_EQ(told, 0);
    EXPECT_EQ(change(ada_.user, {.role = Role::kAdmin}), "");
    EXPECT_EQ(told, 1);
}

TEST_F(AdministrationTest, TheLastAdminStays) {
    EXPECT_EQ(change(root_.id, {.role = Role::kUser}), "last_admin");
    EXPECT_EQ(change(root_.id, {.active = false}), "last_admin");
    EXPECT_EQ(change(root_.id, {.role = Role::kAdmin, .active = true}), "");
    EXPECT_EQ(change(ada_.user, {.role = Role::kAdmin}), "");
    EXPECT_EQ(change(root_.id, {.role = Role::kUser, .active = false}), "");
    EXPECT_EQ(change(ada_.user, {.active = false}), "last_admin");
}

}  // namespace
}  // namespace agentdb9::services
