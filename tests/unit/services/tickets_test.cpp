#include "auth/tokens.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using auth::Failure;

// Another store, and how often it was written to.
class CountingStore final : public store::Store {
  public:
    explicit CountingStore(store::Store& inner) : Store(std::size_t{0}), inner_(inner) {}
    ~CountingStore() override { join(); }

    void transact(store::Mode mode, const std::function<void(store::Transaction&)>& work) override {
        if (mode == store::Mode::kWrite) ++writes;
        inner_.transact(mode, work);
    }
    std::optional<std::string> server_name() const override { return inner_.server_name(); }
    std::unique_ptr<Subscription> subscribe(Subscriber subscriber) override {
        return inner_.subscribe(std::move(subscriber));
    }
    store::Migrated migrate() override { return inner_.migrate(); }
    std::vector<std::string> pending_migrations() override { return inner_.pending_migrations(); }
    std::string describe() const override { return inner_.describe(); }

    int writes = 0;

  private:
    store::Store& inner_;
};

class Tickets : public AccountsTest {
  protected:
    Tickets() {
        write(
            [row =
                 model::Workspace{.id = workspace_, .name = "w", .user_id = ada_.user.id, .type = "vscode"}](
                store::Transaction& tx) { tx.workspaces().insert(row); });
    }
    std::string issue() { return run(tickets_.issue(principal(ada_), workspace_, 8080)).text; }
    auto redeem(const std::string& ticket, int port = 8080) {
        return run(tickets_.redeem(ticket, workspace_, port));
    }
    auto who_cookie(const std::string& cookie) {
        return run(authenticator_.authenticate({auth::Credential::Kind::kApplicationCookie, cookie}));
    }

    SessionTokens ada_ = register_ada();
    base::WorkspaceId workspace_ = base::WorkspaceId::generate();
    TicketService tickets_{*store_, clock_, keys_};
};

TEST_F(Tickets, OneOpensItsApplicationOnce) {
    const auto ticket = issue();
    const auto cookie = redeem(ticket);
    ASSERT_TRUE(cookie);
    const auto caller = who_cookie(cookie->value);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->user, ada_.user.id);
    EXPECT_EQ(caller->scope, (auth::ApplicationScope{workspace_, 8080}));
    EXPECT_EQ(redeem(ticket).error(), Failure::kMalformed);
}

TEST_F(Tickets, OneIsForItsWorkspaceAndPortOnlyAndSpentByATry) {
    const auto ticket = issue();
    EXPECT_EQ(redeem(ticket, 8081).error(), Failure::kMalformed);
    EXPECT_EQ(redeem(ticket).error(), Failure::kMalformed);
    EXPECT_EQ(run(tickets_.redeem(issue(), base::WorkspaceId::generate(), 8080)).error(),
              Failure::kMalformed);
}

TEST_F(Tickets, OneIsGoodForAMinute) {
    const auto early = issue();
    const auto late = issue();
    loop_.run_for(59s);
    EXPECT_TRUE(redeem(early));
    loop_.run_for(1s);
    EXPECT_EQ(redeem(late).error(), Failure::kExpired);
}

TEST_F(Tickets, OneEndsWithItsSessionAndSoDoesItsCookie) {
    const auto ticket = issue();
    const auto cookie = redeem(issue());
    ASSERT_TRUE(cookie);
    run(accounts_.logout(principal(ada_), std::nullopt));
    EXPECT_EQ(redeem(ticket).error(), Failure::kRevoked);
    EXPECT_EQ(who_cookie(cookie->value).error(), Failure::kRevoked);
}

TEST_F(Tickets, OneDoesNotOpenAWorkspaceThatIsBeingDeleted) {
    const auto ticket = issue();
    write([id = workspace_](store::Transaction& tx) {
        auto row = *tx.workspaces().find(id);
        row.desired_state = model::DesiredState::kDeleted;
        tx.workspaces().update(row);
    });
    EXPECT_EQ(redeem(ticket).error(), Failure::kRevoked);
}

TEST_F(Tickets, WhatWasNeverIssuedTakesNoTurnOfTheWriters) {
    CountingStore counting(*store_);
    TicketService tickets(counting, clock_, keys_);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(run(tickets.redeem(auth::make_ticket(), workspace_, 8080)).error(), Failure::kMalformed);
    EXPECT_EQ(counting.writes, 0);
    const auto ticket = issue();
    EXPECT_TRUE(run(tickets.redeem(ticket, workspace_, 8080)));
    EXPECT_EQ(counting.writes, 1);
    EXPECT_EQ(run(tickets.redeem(ticket, workspace_, 8080)).error(), Failure::kMalformed);
    EXPECT_EQ(counting.writes, 1) << "nor does a used one";
}

TEST_F(Tickets, WhatIsNoTicketIsRefused) {
    for (const auto* text : {"", "x", "adb9_"})
        EXPECT_EQ(redeem(text).error(), Failure::kMalformed);
}

}  // namespace
}  // namespace agentdb9::services
