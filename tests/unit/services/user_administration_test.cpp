#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using model::Role;

using UserAdministrationTest = AccountsTest;

TEST_F(UserAdministrationTest, AnEmptyInstallationGetsAnAdminWithAOneTimePassword) {
    const auto made = run(administration_.ensure_first_admin({}));
    ASSERT_TRUE(made && made->one_time_password);
    EXPECT_EQ(made->user.role, Role::kAdmin);
    EXPECT_FALSE(run(administration_.ensure_first_admin({})));
    EXPECT_EQ(run(accounts_.login(made->user.email, *made->one_time_password, client_)).user.id,
              made->user.id);
}

TEST_F(UserAdministrationTest, TheConfiguredAdminIsMadeWhereThereIsNone) {
    register_ada();
    EXPECT_FALSE(run(administration_.ensure_first_admin({}))) << "there are users already";
    const auto made = run(administration_.ensure_first_admin({"root@example.org", kPassword}));
    ASSERT_TRUE(made);
    EXPECT_FALSE(made->one_time_password);
    EXPECT_FALSE(run(administration_.ensure_first_admin({"other@example.org", kPassword})));
}

TEST_F(UserAdministrationTest, ThereIsAlwaysAnActiveAdmin) {
    const auto first = run(administration_.create("a@example.org", "a", kPassword, Role::kAdmin)).user;
    const auto second = run(administration_.create("b@example.org", "b", kPassword, Role::kAdmin)).user;
    run(administration_.set_active(second.id, false));
    EXPECT_EQ(word_of([&] { run(administration_.set_role(first.id, Role::kUser)); }), "last_admin");
    EXPECT_EQ(word_of([&] { run(administration_.set_active(first.id, false)); }), "last_admin");
    const auto row = run(administration_.find("a@example.org"));
    EXPECT_TRUE(row.is_active && row.role == Role::kAdmin) << "a refusal changes nothing";
    run(administration_.set_active(second.id, true));
    run(administration_.set_role(first.id, Role::kUser));
    EXPECT_EQ(run(administration_.find(first.id.str())).role, Role::kUser);
}

TEST_F(UserAdministrationTest, ARoleCountsAtOnce) {
    const auto tokens = register_ada();
    EXPECT_EQ(principal(tokens).role, Role::kUser);
    run(administration_.set_role(tokens.user.id, Role::kAdmin));
    EXPECT_EQ(principal(tokens).role, Role::kAdmin);
}

TEST_F(UserAdministrationTest, ADeactivatedUserIsOutAtOnce) {
    const auto tokens = register_ada();
    EXPECT_TRUE(who(tokens.access_token));
    run(administration_.set_active(tokens.user.id, false));
    EXPECT_FALSE(who(tokens.access_token));
    run(administration_.set_active(tokens.user.id, true));
    EXPECT_FALSE(who(tokens.access_token)) << "the old session stays ended";
    EXPECT_EQ(word_of([&] { log_in(); }), "");
}

TEST_F(UserAdministrationTest, AResetPasswordEndsEverySession) {
    const auto tokens = register_ada();
    const auto reset = run(administration_.reset_password(tokens.user.id, std::nullopt));
    ASSERT_TRUE(reset.one_time_password);
    EXPECT_FALSE(who(tokens.access_token));
    EXPECT_EQ(word_of([&] { log_in(); }), "invalid_credentials");
    EXPECT_EQ(word_of([&] { log_in(*reset.one_time_password); }), "");
    EXPECT_EQ(word_of([&] { run(administration_.reset_password(tokens.user.id, "short")); }),
              "invalid_field");
}

TEST_F(UserAdministrationTest, WhoIsNotThereIsNotFound) {
    EXPECT_EQ(word_of([&] { run(administration_.find("nobody@example.org")); }), "user_not_found");
    EXPECT_EQ(word_of([&] { run(administration_.set_active(base::UserId::generate(), true)); }),
              "user_not_found");
}

}  // namespace
}  // namespace agentdb9::services
