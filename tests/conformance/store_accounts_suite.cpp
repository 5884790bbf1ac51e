#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreSuite, KeepsEveryFieldOfAUser) {
    auto user = make_user("Ada@Example.org", 1);
    user.role = model::Role::kAdmin;
    user.last_name = "Lovelace";
    write([&](Transaction& tx) { tx.users().insert(user); });
    auto found = read([&](Transaction& tx) { return tx.users().find(user.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->email, "ada@example.org");
    EXPECT_EQ(found->username, "ada");
    EXPECT_EQ(found->password_hash, "$argon2id$x");
    EXPECT_EQ(found->first_name, "Ada");
    EXPECT_EQ(found->last_name, "Lovelace");
    EXPECT_TRUE(found->is_active);
    EXPECT_EQ(found->role, model::Role::kAdmin);
    EXPECT_EQ(found->preferences, user.preferences);
    EXPECT_EQ(found->last_login_at, std::nullopt);
    EXPECT_EQ(found->created_at, at(1));

    found->is_active = false;
    found->role = model::Role::kUser;
    found->first_name.reset();
    found->last_login_at = at(7);
    found->updated_at = at(8);
    found->created_at = at(9);
    write([&](Transaction& tx) { tx.users().update(*found); });
    found = read([&](Transaction& tx) { return tx.users().find_by_email("ADA@example.ORG"); });
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->is_active);
    EXPECT_EQ(found->role, model::Role::kUser);
    EXPECT_EQ(found->first_name, std::nullopt);
    EXPECT_EQ(found->last_login_at, at(7));
    EXPECT_EQ(found->updated_at, at(8));
    EXPECT_EQ(found->created_at, at(1)) << "createdAt is written once";
}

TEST_P(StoreSuite, RefusesAnEmailThatIsTakenInOtherCase) {
    auto second = make_user("second@example.org");
    write([&](Transaction& tx) {
        tx.users().insert(make_user("ada@example.org"));
        tx.users().insert(second);
    });
    const auto insert = [&] {
        write([](Transaction& tx) { tx.users().insert(make_user("ADA@example.org")); });
    };
    EXPECT_EQ(word_of(insert), "email_taken");
    second.email = "Ada@example.org";
    const auto update = [&] { write([&](Transaction& tx) { tx.users().update(second); }); };
    EXPECT_EQ(word_of(update), "email_taken");
}

TEST_P(StoreSuite, CountsUsersAndActiveAdmins) {
    write([](Transaction& tx) {
        auto admin = make_user("a@x", 3);
        admin.role = model::Role::kAdmin;
        tx.users().insert(admin);
        auto gone = make_user("b@x", 1);
        gone.role = model::Role::kAdmin;
        gone.is_active = false;
        tx.users().insert(gone);
        tx.users().insert(make_user("c@x", 2));
        EXPECT_EQ(tx.users().count(), 3);
        EXPECT_EQ(tx.users().count_admins(), 1);
        const auto all = tx.users().all();
        ASSERT_THAT(all, SizeIs(3));
        EXPECT_EQ(all[0].email, "b@x");
        EXPECT_EQ(all[2].email, "a@x");
    });
}

TEST_P(StoreSuite, FindsASessionByItsCurrentOrPreviousRefreshToken) {
    auto session = make_session(kOwner, "h1", 100);
    write([&](Transaction& tx) {
        tx.sessions().insert(session);
        session.previous_refresh_hash = "h1";
        session.refresh_hash = "h2";
        session.last_used_at = at(5);
        tx.sessions().update(session);
    });
    read([&](Transaction& tx) {
        EXPECT_EQ(tx.sessions().find_by_refresh_hash("h1")->id, session.id);
        EXPECT_EQ(tx.sessions().find_by_refresh_hash("h2")->id, session.id);
        EXPECT_FALSE(tx.sessions().find_by_refresh_hash("h3"));
        const auto found = tx.sessions().find(session.id);
        EXPECT_EQ(found->user_id, kOwner);
        EXPECT_EQ(found->address, "127.0.0.1");
        EXPECT_EQ(found->user_agent, "curl");
        EXPECT_EQ(found->last_used_at, at(5));
        EXPECT_EQ(found->expires_at, at(100));
        EXPECT_FALSE(found->revoked_at);
    });
    const auto again = [&] {
        write([&](Transaction& tx) { tx.sessions().insert(make_session(kOther, "h2", 1)); });
    };
    EXPECT_EQ(word_of(again), "duplicate");
}

TEST_P(StoreSuite, RevokesAndPrunesSessions) {
    write([](Transaction& tx) {
        const auto kept = make_session(kOwner, "a", 100);
        auto ended = make_session(kOwner, "b", 100);
        ended.revoked_at = at(1);
        const auto revoked = make_session(kOwner, "c", 10);
        const auto foreign = make_session(kOther, "d", 10);
        for (const auto& session : {kept, ended, revoked, foreign})
            tx.sessions().insert(session);
        tx.sessions().revoke_all(kOwner, at(2), kept.id);
        EXPECT_FALSE(tx.sessions().find(kept.id)->revoked_at);
        EXPECT_EQ(tx.sessions().find(ended.id)->revoked_at, at(1));
        EXPECT_EQ(tx.sessions().find(revoked.id)->revoked_at, at(2));
        EXPECT_FALSE(tx.sessions().find(foreign.id)->revoked_at);
        EXPECT_THAT(tx.sessions().of_user(kOwner), SizeIs(3));
        tx.sessions().revoke_all(kOwner, at(3), std::nullopt);
        EXPECT_EQ(tx.sessions().find(kept.id)->revoked_at, at(3));
        EXPECT_EQ(tx.sessions().prune(at(50)), 2);
        EXPECT_THAT(tx.sessions().of_user(kOther), IsEmpty());
    });
}

TEST_P(StoreSuite, KeepsWhatApiTokensMay) {
    const auto workspace = model::WorkspaceId::generate();
    write([&](Transaction& tx) {
        auto token = make_token(kOwner, "full", 1);
        tx.api_tokens().insert(token);
        EXPECT_TRUE(tx.api_tokens().find(token.id)->scope().is_full());
        for (const auto power : {model::TokenPower::kRead, model::TokenPower::kWrite}) {
            token = make_token(kOwner, "h" + std::string(model::to_text(power)), 2);
            token.power = power;
            token.workspace_id = workspace;
            tx.api_tokens().insert(token);
            EXPECT_EQ(tx.api_tokens().find(token.id)->scope(), (model::TokenScope{power, workspace}));
        }
    });
}

TEST_P(StoreSuite, APowerThatALaterVersionKnowsIsTheLeastHere) {
    const auto token = make_token(kOwner, "h", 1);
    write([&](Transaction& tx) { tx.api_tokens().insert(token); });
    close();
    fixture().run_script(R"(UPDATE "agentdb9_api_tokens" SET "power" = 'of tomorrow')");
    EXPECT_EQ(read([&](Transaction& tx) { return tx.api_tokens().find(token.id)->power; }),
              model::TokenPower::kRead);
}

TEST_P(StoreSuite, PrunesApiTokensThatWereRevokedBeforeATime) {
    const auto good = make_token(kOwner, "good", 1);
    const auto lately = make_token(kOwner, "lately", 1);
    const auto before = make_token(kOwner, "before", 1);
    write([&](Transaction& tx) {
        for (const auto& each : {good, lately, before})
            tx.api_tokens().insert(each);
        tx.api_tokens().revoke(before.id, at(10));
        tx.api_tokens().revoke(lately.id, at(20));
        EXPECT_EQ(tx.api_tokens().prune(at(20)), 1);
        EXPECT_TRUE(tx.api_tokens().find(good.id));
        EXPECT_TRUE(tx.api_tokens().find(lately.id));
        EXPECT_FALSE(tx.api_tokens().find(before.id));
    });
}

TEST_P(StoreSuite, KeepsApiTokensUntilTheyAreRevoked) {
    write([](Transaction& tx) {
        auto token = make_token(kOwner, "h", 1);
        token.expires_at = at(50);
        tx.api_tokens().insert(token);
        const auto newer = make_token(kOwner, "h2", 2);
        tx.api_tokens().insert(newer);
        tx.api_tokens().touch(token.id, at(9));
        const auto found = tx.api_tokens().find_by_hash("h");
        ASSERT_TRUE(found);
        EXPECT_EQ(found->id, token.id);
        EXPECT_EQ(found->user_id, kOwner);
        EXPECT_EQ(found->name, "ci");
        EXPECT_EQ(found->hint, "adb9_abc");
        EXPECT_EQ(found->created_at, at(1));
        EXPECT_EQ(found->expires_at, at(50));
        EXPECT_EQ(found->last_used_at, at(9));
        tx.api_tokens().touch(token.id, at(4));
        EXPECT_EQ(tx.api_tokens().find(token.id)->last_used_at, at(9)) << "another server saw it later";
        ASSERT_THAT(tx.api_tokens().of_user(kOwner), SizeIs(2));
        EXPECT_EQ(tx.api_tokens().of_user(kOwner).front().id, newer.id);
        tx.api_tokens().revoke(newer.id, at(3));
        tx.api_tokens().revoke(newer.id, at(4));
        EXPECT_EQ(tx.api_tokens().find(newer.id)->revoked_at, at(3));
        EXPECT_THAT(tx.api_tokens().of_user(kOwner), SizeIs(1));
        EXPECT_FALSE(tx.api_tokens().find_by_hash("none"));
    });
}

TEST_P(StoreSuite, ATicketIsTakenOnceHoweverManyTry) {
    const model::ProxyTicket ticket{.ticket_hash = "t",
                                    .user_id = kOwner,
                                    .workspace_id = kWorkspace,
                                    .port = 8080,
                                    .expires_at = at(10)};
    for (int round = 0; round < 20; ++round) {
        write([&](Transaction& tx) { tx.proxy_tickets().insert(ticket); });
        std::atomic<int> taken = 0;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                store().transact(Mode::kWrite, [&](Transaction& tx) {
                    if (const auto found = tx.proxy_tickets().take("t")) {
                        EXPECT_EQ(found->user_id, kOwner);
                        EXPECT_EQ(found->workspace_id, kWorkspace);
                        EXPECT_EQ(found->port, 8080);
                        EXPECT_EQ(found->expires_at, at(10));
                        EXPECT_FALSE(found->session_id);
                        ++taken;
                    }
                });
            });
        }
        threads.clear();
        EXPECT_EQ(taken, 1);
    }
}

TEST_P(StoreSuite, TicketsGoWithTheirTimeAndTheirSession) {
    write([](Transaction& tx) {
        const auto session = make_session(kOwner, "s", 5);
        tx.sessions().insert(session);
        model::ProxyTicket ticket{.ticket_hash = "a",
                                  .user_id = kOwner,
                                  .session_id = session.id,
                                  .workspace_id = kWorkspace,
                                  .expires_at = at(100)};
        tx.proxy_tickets().insert(ticket);
        ticket.ticket_hash = "b";
        ticket.session_id.reset();
        ticket.expires_at = at(1);
        tx.proxy_tickets().insert(ticket);
        EXPECT_TRUE(tx.proxy_tickets().exists("b"));
        EXPECT_EQ(tx.proxy_tickets().prune(at(50)), 1);
        EXPECT_TRUE(tx.proxy_tickets().exists("a"));
        EXPECT_FALSE(tx.proxy_tickets().exists("b"));
        EXPECT_FALSE(tx.proxy_tickets().take("b"));
        tx.sessions().prune(at(50));
        EXPECT_FALSE(tx.proxy_tickets().take("a"));
    });
}

}  // namespace
}  // namespace agentdb9::store
