#include "auth/application_cookie.hpp"
#include "auth/tokens.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

class ApiTokens : public AccountsTest {
  protected:
    ApiTokenService tokens_{*store_, clock_, authenticator_};
};

TEST_F(ApiTokens, OneIsItsOwnerUntilItIsRemoved) {
    const auto ada = register_ada();
    const auto made = run(tokens_.create(principal(ada), "ci", std::nullopt));
    EXPECT_TRUE(made.text.starts_with("adb9_"));
    ASSERT_TRUE(who(made.text));
    EXPECT_EQ(who(made.text)->user, ada.user.id);
    EXPECT_EQ(who(made.text)->api_token, made.row.id);
    run(tokens_.remove(principal(ada), made.row.id));
    EXPECT_EQ(who(made.text).error(), auth::Failure::kRevoked);
    EXPECT_TRUE(run(tokens_.list(principal(ada))).empty());
    EXPECT_EQ(word_of([&] { run(tokens_.remove(principal(ada), made.row.id)); }), "token_not_found");
}

TEST_F(ApiTokens, WhatIsListedAndKeptIsNotTheToken) {
    const auto me = principal(register_ada());
    const auto made = run(tokens_.create(me, "ci", std::nullopt));
    const auto listed = run(tokens_.list(me));
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_TRUE(made.text.starts_with(listed[0].hint));
    EXPECT_LT(listed[0].hint.size(), made.text.size() / 2);
    EXPECT_EQ(listed[0].token_hash.find(made.text), std::string::npos);
}

TEST_F(ApiTokens, OneEndsWhenItsTimeIsOver) {
    const auto me = principal(register_ada());
    EXPECT_EQ(word_of([&] { run(tokens_.create(me, "late", clock_.now())); }), "invalid_field");
    const auto made = run(tokens_.create(me, "short", clock_.now() + 10min));
    ASSERT_TRUE(who(made.text));
    EXPECT_EQ(who(made.text)->ends_at, made.row.expires_at) << "what goes on under it ends, too";
    EXPECT_FALSE(me.ends_at) << "of a session that is used there is no end";
    loop_.run_for(10min);
    EXPECT_EQ(who(made.text).error(), auth::Failure::kExpired);
}

TEST_F(ApiTokens, OneCannotMakeItselfASuccessor) {
    const auto made = run(tokens_.create(principal(register_ada()), "ci", std::nullopt));
    EXPECT_EQ(word_of([&] { run(tokens_.create(who(made.text).value(), "more", std::nullopt)); }),
              "session_required");
}

TEST_F(ApiTokens, AScopeIsTheTokensForGood) {
    const auto me = principal(register_ada());
    const auto full = run(tokens_.create(me, "full", std::nullopt));
    const auto reads = run(tokens_.create(me, "reads", std::nullopt, {.power = model::TokenPower::kRead}));
    EXPECT_TRUE(who(full.text)->token_scope.is_full());
    EXPECT_TRUE(me.token_scope.is_full()) << "a person's session may everything";
    EXPECT_EQ(who(reads.text)->token_scope, (model::TokenScope{.power = model::TokenPower::kRead}));
    // Its cookies, too.
    const auto cookie = auth::seal_application_cookie({.user = me.user,
                                                       .session = {},
                                                       .api_token = reads.row.id,
                                                       .scope = {base::WorkspaceId::generate(), 8080},
                                                       .expires_at = clock_.now() + 1h},
                                                      keys_.application_cookies);
    const auto by_cookie =
        run(authenticator_.authenticate({auth::Credential::Kind::kApplicationCookie, cookie})).value();
    EXPECT_EQ(by_cookie.token_scope.power, model::TokenPower::kRead);
}

TEST_F(ApiTokens, AVersionBeforeScopesKnowsNoTokenThatHasOne) {
    const auto me = principal(register_ada());
    const auto full = run(tokens_.create(me, "full", std::nullopt));
    const auto reads = run(tokens_.create(me, "reads", std::nullopt, {.power = model::TokenPower::kRead}));
    const auto found_by_its_hash = [&](const std::string& text) {
        return read([&](store::Transaction& tx) {
            return tx.api_tokens().find_by_hash(auth::token_hash(text)).has_value();
        });
    };
    EXPECT_TRUE(found_by_its_hash(full.text));
    EXPECT_FALSE(found_by_its_hash(reads.text));
}

TEST_F(ApiTokens, OneForAWorkspaceIsForOneOfItsOwners) {
    const auto me = principal(register_ada());
    const auto eve =
        principal(run(accounts_.register_account({"eve@example.org", "eve", kPassword, {}, {}}, client_)));
    const model::Workspace row{.id = base::WorkspaceId::generate(),
                               .name = "desk",
                               .user_id = me.user,
                               .type = "notebook",
                               .created_at = clock_.now(),
                               .updated_at = clock_.now()};
    write([row](store::Transaction& tx) { tx.workspaces().insert(row); });
    const auto made = run(tokens_.create(me, "desk", std::nullopt, {.workspace = row.id}));
    EXPECT_EQ(who(made.text)->token_scope,
              (model::TokenScope{.power = model::TokenPower::kWrite, .workspace = row.id}))
        << "one for a workspace reaches no account";
    EXPECT_EQ(word_of([&] { run(tokens_.create(eve, "desk", std::nullopt, {.workspace = row.id})); }),
              "workspace_not_found");
}

TEST_F(ApiTokens, TheirLastUseIsWrittenTogetherAndShownAtOnce) {
    const auto me = principal(register_ada());
    const auto made = run(tokens_.create(me, "ci", std::nullopt));
    const auto written = [&] {
        return read([&](store::Transaction& tx) { return tx.api_tokens().find(made.row.id)->last_used_at; });
    };
    EXPECT_FALSE(run(tokens_.list(me))[0].last_used_at);
    loop_.run_for(1h);
    const auto first = clock_.now();
    ASSERT_TRUE(who(made.text));
    EXPECT_EQ(run(tokens_.list(me))[0].last_used_at, first);
    EXPECT_FALSE(written()) << "who asks does not wait for a write";
    run(authenticator_.write_uses());
    EXPECT_EQ(written(), first);
    loop_.run_for(30s);
    // By what is remembered of it, too.
    ASSERT_TRUE(who(made.text));
    EXPECT_EQ(run(tokens_.list(me))[0].last_used_at, first + 30s);
    run(authenticator_.write_uses());
    EXPECT_EQ(written(), first + 30s);
}

TEST_F(ApiTokens, AnothersIsNotThere) {
    const auto made = run(tokens_.create(principal(register_ada()), "ci", std::nullopt));
    const auto eve = run(accounts_.register_account({"eve@example.org", "eve", kPassword, {}, {}}, client_));
    EXPECT_EQ(word_of([&] { run(tokens_.remove(principal(eve), made.row.id)); }), "token_not_found");
    EXPECT_TRUE(who(made.text));
}

TEST_F(ApiTokens, ThereIsAnEndToHowManyOneHas) {
    const auto me = principal(register_ada());
    for (int i = 0; i < 100; ++i)
        run(tokens_.create(me, "t", std::nullopt));
    EXPECT_EQ(word_of([&] { run(tokens_.create(me, "one too many", std::nullopt)); }), "too_many_tokens");
}

TEST_F(ApiTokens, TheyOutliveAChangeOfPasswordButNotTheAccount) {
    const auto ada = register_ada();
    const auto made = run(tokens_.create(principal(ada), "ci", std::nullopt));
    run(accounts_.change_password(principal(ada), kPassword, "another horse"));
    EXPECT_TRUE(who(made.text));
    run(administration_.create("root@example.org", "root", kPassword, model::Role::kAdmin));
    run(administration_.set_active(ada.user.id, false));
    EXPECT_EQ(who(made.text).error(), auth::Failure::kRevoked);
}

}  // namespace
}  // namespace agentdb9::services
