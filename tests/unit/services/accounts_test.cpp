#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

TEST_F(AccountsTest, RegistersAndLogsIn) {
    const auto registered = register_ada();
    EXPECT_EQ(registered.user.email, "ada@example.org");
    EXPECT_EQ(registered.user.role, model::Role::kUser);
    EXPECT_EQ(principal(registered).user, registered.user.id);
    const auto again = log_in();
    EXPECT_EQ(again.user.id, registered.user.id);
    EXPECT_NE(again.refresh_token, registered.refresh_token);
    EXPECT_EQ(run(accounts_.login("ADA@example.ORG", kPassword, client_)).user.id, registered.user.id);
}

TEST_F(AccountsTest, RegistrationIsRefusedWhereItIsClosed) {
    accounts_.set_options({.registration_open = false});
    EXPECT_EQ(word_of([&] { register_ada(); }), "registration_closed");
    EXPECT_TRUE(read([](store::Transaction& tx) { return tx.users().all(); }).empty());
}

TEST_F(AccountsTest, AnAddressIsRegisteredOnce) {
    register_ada();
    EXPECT_EQ(word_of([&] { register_ada(); }), "email_taken");
}

TEST_F(AccountsTest, EveryProblemOfANewAccountIsNamedAtOnce) {
    try {
        run(accounts_.register_account({"nobody", "", "short", {}, {}}, client_));
        FAIL() << "accepted";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kInvalid);
        ASSERT_EQ(error.fields().size(), 3U);
        EXPECT_EQ(error.fields()[0].field, "email");
        EXPECT_EQ(error.fields()[1].field, "username");
        EXPECT_EQ(error.fields()[2].field, "password");
    }
}

TEST_F(AccountsTest, LoginRefusesAlikeWhateverIsWrong) {
    const auto ada = register_ada();
    EXPECT_EQ(word_of([&] { log_in("wrong password"); }), "invalid_credentials");
    EXPECT_EQ(word_of([&] { run(accounts_.login("eve@example.org", kPassword, client_)); }),
              "invalid_credentials");
    write([id = ada.user.id](store::Transaction& tx) {
        auto row = *tx.users().find(id);
        row.is_active = false;
        tx.users().update(row);
    });
    EXPECT_EQ(word_of([&] { log_in(); }), "invalid_credentials");
}

TEST_F(AccountsTest, FailuresOfOneAccountAreLimitedAndTimeHelps) {
    register_ada();
    for (int i = 0; i < 10; ++i) {
        client_.address = "192.0.2." + std::to_string(i);
        EXPECT_EQ(word_of([&] { log_in("wrong password"); }), "invalid_credentials") << i;
    }
    client_.address = "198.51.100.1";
    EXPECT_EQ(word_of([&] { log_in(); }), "rate_limited");
    loop_.run_for(16s);
    EXPECT_EQ(word_of([&] { log_in(); }), "");
}

TEST_F(AccountsTest, FailuresFromOneAddressAreLimitedForThatAddressOnly) {
    register_ada();
    for (int i = 0; i < 30; ++i)
        word_of([&] {
            run(accounts_.login("u" + std::to_string(i) + "@example.org", "wrong password", client_));
        });
    EXPECT_EQ(word_of([&] { log_in(); }), "rate_limited");
    client_.address = "198.51.100.1";
    EXPECT_EQ(word_of([&] { log_in(); }), "");
}

TEST_F(AccountsTest, LoginsThatSucceedAreNotLimited) {
    register_ada();
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(word_of([&] { log_in(); }), "") << i;
}

TEST_F(AccountsTest, WhereLimitsAreOffNothingIsLimited) {
    register_ada();
    accounts_.set_options({.registration_open = true, .rate_limit = false});
    for (int i = 0; i < 40; ++i)
        EXPECT_EQ(word_of([&] { log_in("wrong password"); }), "invalid_credentials") << i;
}

TEST_F(AccountsTest, ABcryptHashIsReplacedAtTheNextLogin) {
    const auto ada = register_ada();
    write([id = ada.user.id](store::Transaction& tx) {
        auto row = *tx.users().find(id);
        row.password_hash = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";  // "U*U"
        tx.users().update(row);
    });
    EXPECT_EQ(word_of([&] { log_in("U*V"); }), "invalid_credentials");
    log_in("U*U");
    const auto hash =
        read([id = ada.user.id](store::Transaction& tx) { return *tx.users().find(id); }).password_hash;
    EXPECT_TRUE(hash.starts_with("$argon2id$")) << hash;
    EXPECT_EQ(word_of([&] { log_in("U*U"); }), "");
}

TEST_F(AccountsTest, ARefreshTokenIsGoodOnceAndLeadsToTheNext) {
    auto tokens = register_ada();
    for (int i = 0; i < 3; ++i) {
        loop_.run_for(1h);
        const auto next = run(accounts_.refresh(tokens.refresh_token, Reuse::kStolen, client_));
        EXPECT_NE(next.refresh_token, tokens.refresh_token);
        EXPECT_EQ(principal(next).user, tokens.user.id);
        tokens = next;
    }
}

TEST_F(AccountsTest, ARefreshTokenUsedTwiceEndsItsSession) {
    const auto tokens = register_ada();
    const auto other = log_in();
    const auto next = run(accounts_.refresh(tokens.refresh_token, Reuse::kStolen, client_));
    EXPECT_TRUE(who(next.access_token));
    EXPECT_EQ(word_of([&] { run(accounts_.refresh(tokens.refresh_token, Reuse::kStolen, client_)); }),
              "refresh_token_reused");
    // Also for the one who had exchanged it; another session goes on.
    EXPECT_EQ(who(next.access_token).error(), auth::Failure::kRevoked);
    EXPECT_EQ(word_of([&] { run(accounts_.refresh(next.refresh_token, Reuse::kStolen, client_)); }),
              "invalid_refresh_token");
    EXPECT_TRUE(who(other.access_token));
}

TEST_F(AccountsTest, TwoPagesThatRefreshAtOnceDoNotEndTheSession) {
    const auto tokens = register_ada();
    const auto next = run(accounts_.refresh(tokens.refresh_token, Reuse::kMaybeTwoPages, client_));
    EXPECT_EQ(word_of([&] { run(accounts_.refresh(tokens.refresh_token, Reuse::kMaybeTwoPages, client_)); }),
              "refresh_in_progress");
    EXPECT_TRUE(who(next.access_token));
    loop_.run_for(11s);
    EXPECT_EQ(word_of([&] { run(accounts_.refresh(tokens.refresh_token, Reuse::kMaybeTwoPages, client_)); }),
              "refresh_token_reused");
    EXPECT_FALSE(who(next.access_token));
}

TEST_F(AccountsTest, ASessionThatIsNotRefreshedEnds) {
    const auto tokens = register_ada();
    clock_.jump(kSessionLife);
    EXPECT_EQ(word_of([&] { run(accounts_.refresh(tokens.refresh_token, Reuse::kStolen, client_)); }),
              "invalid_refresh_token");
}

TEST_F(AccountsTest, WhatIsNoRefreshTokenOfOursEndsNothing) {
    const auto tokens = register_ada();
    auto forged = tokens.refresh_token;
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    for (const auto& text : {forged, std::string(), std::string("x.y.z")}) {
        EXPECT_EQ(word_of([&] { run(accounts_.refresh(text, Reuse::kStolen, client_)); }),
                  "invalid_refresh_token");
    }
    EXPECT_TRUE(who(tokens.access_token));
}

TEST_F(AccountsTest, OfSeveralRefreshTokensOnlyOwnOnesCountOncePerSession) {
    const auto one = register_ada().refresh_token;
    const auto other = log_in().refresh_token;
    auto forged = one;
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    EXPECT_EQ(accounts_.own_refresh_tokens({"x", forged, one, "", one}), std::vector{one});
    EXPECT_EQ(accounts_.own_refresh_tokens({other, one}), (std::vector{other, one}));
    EXPECT_TRUE(accounts_.own_refresh_tokens({"x", forged}).empty());
}

TEST_F(AccountsTest, LogoutEndsTheSessionAtOnce) {
    const auto tokens = register_ada();
    const auto other = log_in();
    std::vector<auth::Revocation> heard;
    authenticator_.subscribe([&](const auth::Revocation& revocation) { heard.push_back(revocation); });
    run(accounts_.logout(principal(tokens), std::nullopt));
    EXPECT_EQ(who(tokens.access_token).error(), auth::Failure::kRevoked);
    EXPECT_TRUE(who(other.access_token));
    ASSERT_EQ(heard.size(), 1U);
}

TEST_F(AccountsTest, LogoutWithARefreshTokenEndsThatSessionTooButNobodyElses) {
    const auto tokens = register_ada();
    const auto other = log_in();
    const auto eve = run(accounts_.register_account({"eve@example.org", "eve", kPassword, {}, {}}, client_));
    run(accounts_.logout(principal(tokens), other.refresh_token));
    EXPECT_FALSE(who(other.access_token));
    const auto third = log_in();
    run(accounts_.logout(principal(third), eve.refresh_token));
    EXPECT_TRUE(who(eve.access_token));
}

TEST_F(AccountsTest, ChangingThePasswordEndsEveryOtherSession) {
    const auto tokens = register_ada();
    const auto other = log_in();
    EXPECT_EQ(
        word_of([&] { run(accounts_.change_password(principal(tokens), "not mine", "another horse")); }),
        "wrong_password");
    EXPECT_EQ(word_of([&] { run(accounts_.change_password(principal(tokens), kPassword, "short")); }),
              "invalid_field");
    run(accounts_.change_password(principal(tokens), kPassword, "another horse"));
    EXPECT_TRUE(who(tokens.access_token));
    EXPECT_EQ(who(other.access_token).error(), auth::Failure::kRevoked);
    EXPECT_EQ(word_of([&] { log_in(); }), "invalid_credentials");
    EXPECT_EQ(word_of([&] { log_in("another horse"); }), "");
}

TEST_F(AccountsTest, AnotherAddressNeedsThePassword) {
    const auto me = principal(register_ada());
    EXPECT_EQ(word_of([&] { run(accounts_.update_profile(me, {.email = "new@example.org"})); }),
              "invalid_field");
    EXPECT_EQ(
        word_of([&] {
            run(accounts_.update_profile(me, {.email = "new@example.org", .current_password = "not mine"}));
        }),
        "wrong_password");
    const auto changed =
        run(accounts_.update_profile(me, {.email = "New@example.org", .current_password = kPassword}));
    EXPECT_EQ(changed.email, "new@example.org");
    EXPECT_EQ(changed.role, model::Role::kUser);
}

}  // namespace
}  // namespace agentdb9::services
