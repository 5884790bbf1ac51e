#include "services/session_service.hpp"

#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

class Sessions : public AccountsTest {
  protected:
    std::vector<base::SessionId> listed(const auth::Principal& principal) {
        std::vector<base::SessionId> ids;
        for (const auto& each : run(sessions_.list(principal)))
            ids.push_back(each.id);
        return ids;
    }
    SessionService sessions_{*store_, clock_, authenticator_};
};

TEST_F(Sessions, ListsThoseThatAreOpenTheAskingOneFirst) {
    const auto first = principal(register_ada());
    loop_.run_for(1min);
    const auto second = principal(log_in());
    loop_.run_for(1min);
    const auto third = principal(log_in());
    EXPECT_EQ(listed(second), (std::vector{*second.session, *third.session, *first.session}));
    const auto row = run(sessions_.list(second))[0];
    EXPECT_EQ(row.address, client_.address);
    EXPECT_EQ(row.user_agent, client_.user_agent);
    run(accounts_.logout(third, std::nullopt));
    EXPECT_EQ(listed(second), (std::vector{*second.session, *first.session}));
    loop_.run_for(std::chrono::hours(24) * 31);
    EXPECT_TRUE(run(sessions_.list(second)).empty()) << "those that are over are not there";
}

TEST_F(Sessions, OneEndsAtOnceAndAlone) {
    const auto first = register_ada();
    const auto second = log_in();
    const auto me = principal(second);
    ASSERT_TRUE(who(first.access_token)) << "it is remembered";
    const auto id = *principal(first).session;
    run(sessions_.end(me, id));
    EXPECT_EQ(who(first.access_token).error(), auth::Failure::kRevoked);
    EXPECT_TRUE(who(second.access_token));
    EXPECT_EQ(word_of([&] { run(sessions_.end(me, id)); }), "session_not_found") << "it is over";
    EXPECT_EQ(word_of([&] { run(accounts_.refresh(first.refresh_token, Reuse::kStolen, client_)); }),
              "invalid_refresh_token");
}

TEST_F(Sessions, AnothersIsNotThere) {
    const auto ada = principal(register_ada());
    const auto eve =
        principal(run(accounts_.register_account({"eve@example.org", "eve", kPassword, {}, {}}, client_)));
    EXPECT_EQ(word_of([&] { run(sessions_.end(eve, *ada.session)); }), "session_not_found");
    EXPECT_EQ(run(sessions_.end_others(eve)), 0U);
    EXPECT_EQ(listed(ada).size(), 1U);
}

TEST_F(Sessions, AllOthersEndAndApiTokensStay) {
    const auto first = register_ada();
    const auto second = log_in();
    const auto third = log_in();
    ApiTokenService tokens{*store_, clock_, authenticator_};
    const auto robot = run(tokens.create(principal(first), "ci", std::nullopt));
    std::vector<auth::Revocation> told;
    authenticator_.subscribe([&](const auth::Revocation& each) { told.push_back(each); });
    EXPECT_EQ(run(sessions_.end_others(principal(second))), 2U);
    EXPECT_FALSE(who(first.access_token));
    EXPECT_FALSE(who(third.access_token));
    EXPECT_TRUE(who(second.access_token));
    ASSERT_TRUE(who(robot.text));
    // What is open under the token or the session that asked stays open.
    for (const auto& each : told) {
        EXPECT_FALSE(each.covers(*who(robot.text)));
        EXPECT_FALSE(each.covers(principal(second)));
    }
    EXPECT_EQ(told.size(), 2U);
    EXPECT_EQ(run(sessions_.end_others(principal(second))), 0U);
    // A program is signed in nowhere: to it all are others.
    EXPECT_EQ(run(sessions_.end_others(*who(robot.text))), 1U);
    EXPECT_FALSE(who(second.access_token));
}

}  // namespace
}  // namespace agentdb9::services
