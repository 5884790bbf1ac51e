#include "services/shares.hpp"

#include <gmock/gmock.h>

#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

using model::Share;
using model::ShareLevel;

class Shares : public AccountsTest {
  protected:
    Shares() {
        routes_.set_publisher([this](auto table) { return note(*this, std::move(table)); });
        write([this](store::Transaction& tx) { tx.workspaces().insert(workspace_); });
        run(shares_.start());
        run(routes_.load({workspace_}, routes_.changes()));
    }
    ~Shares() override { run(shares_.stop()); }
    static Task<> note(Shares& test, std::shared_ptr<const model::RouteTable> table) {
        test.table_ = std::move(table);
        co_return;
    }

    Share make(ShareLevel level, std::optional<base::Time> expires_at = {}, int port = 8080) {
        return run(shares_.create(owner_, workspace_.id, {port, level, expires_at}));
    }
    std::string refused(NewShare wanted) {
        return word_of([&] { run(shares_.create(owner_, workspace_.id, wanted)); });
    }
    bool opens(const model::Visitor& visitor, int port = 8080) {
        return model::sharing_for(table_->sharings_of(workspace_.id), port, visitor, clock_.now()) != nullptr;
    }
    std::size_t published() { return table_->sharings_of(workspace_.id).size(); }
    bool may_open(const base::UserId& user, int port = 8080) {
        return run(shares_.may_open(user, workspace_.id, port));
    }

    SessionTokens ada_ = register_ada();
    base::UserId owner_ = ada_.user.id;
    base::UserId other_ = base::UserId::generate();
    model::Workspace workspace_{
        .id = base::WorkspaceId::generate(), .name = "w", .user_id = owner_, .type = "vscode"};
    model::Catalogue catalogue_{model::built_in_types()};
    std::shared_ptr<const model::RouteTable> table_;
    RouteBook routes_{catalogue_};
    ShareService shares_{loop_.executor(), clock_, *store_, routes_, catalogue_, keys_, true};
};

const model::Visitor kStranger{};
const model::Visitor kUser{.signed_in = true, .link = {}};

TEST_F(Shares, OneIsInForceWhenTheCallReturnsAndOutOfItWhenTheOtherDoes) {
    EXPECT_FALSE(opens(kUser));
    const auto share = make(ShareLevel::kPublic);
    EXPECT_TRUE(opens(kStranger));
    EXPECT_FALSE(opens(kStranger, 8081));
    run(shares_.remove(owner_, workspace_.id, share.id));
    EXPECT_FALSE(opens(kStranger));
    EXPECT_EQ(word_of([&] { run(shares_.remove(owner_, workspace_.id, share.id)); }), "share_not_found");
}

TEST_F(Shares, ALinkOpensByWhatItCarriesAndEndsByItself) {
    const auto link = make(ShareLevel::kLink);
    EXPECT_EQ(link.expires_at, clock_.now() + kLinkLife);
    EXPECT_TRUE(opens({.signed_in = false, .link = shares_.link_of(link.id)}));
    EXPECT_FALSE(opens({.signed_in = true, .link = shares_.link_of(base::ShareId::generate())}));
    EXPECT_FALSE(opens(kUser));
}

TEST_F(Shares, WhatIsOverLeavesTheTableByItself) {
    make(ShareLevel::kUsers);
    make(ShareLevel::kPublic, clock_.now() + 5s);
    EXPECT_EQ(published(), 2U);
    loop_.run_for(4999ms);
    EXPECT_EQ(published(), 2U);
    loop_.run_for(2ms);
    EXPECT_EQ(published(), 1U);
    EXPECT_THAT(run(shares_.list(owner_, workspace_.id)), testing::SizeIs(1));
    make(ShareLevel::kPublic);
    EXPECT_EQ(published(), 2U) << "the one that is over is not in the way";
}

TEST_F(Shares, TheTypesPortIsMeantWhereNoneIsNamed) {
    EXPECT_EQ(run(shares_.create(owner_, workspace_.id, {})).port, 8080);
}

TEST_F(Shares, AreTheOwnersOnly) {
    const auto share = make(ShareLevel::kPublic);
    EXPECT_EQ(word_of([&] { run(shares_.list(other_, workspace_.id)); }), "workspace_not_found");
    EXPECT_EQ(word_of([&] { run(shares_.create(other_, workspace_.id, {})); }), "workspace_not_found");
    EXPECT_EQ(word_of([&] { run(shares_.remove(other_, workspace_.id, share.id)); }), "workspace_not_found");
    auto second = workspace_;
    second.id = base::WorkspaceId::generate();
    write([second](store::Transaction& tx) { tx.workspaces().insert(second); });
    EXPECT_EQ(word_of([&] { run(shares_.remove(owner_, second.id, share.id)); }), "share_not_found");
    EXPECT_EQ(published(), 1U);
}

TEST_F(Shares, WhatCannotBeIsRefused) {
    EXPECT_EQ(refused({8080, ShareLevel::kLink, clock_.now()}), "invalid_field");
    EXPECT_EQ(refused({8080, ShareLevel::kPublic, clock_.now() - 1ms}), "invalid_field");
    EXPECT_EQ(refused({8080, ShareLevel::kPublic, clock_.now() + kMaxShareLife + 1ms}), "invalid_field");
    make(ShareLevel::kPublic);
    EXPECT_EQ(refused({8080, ShareLevel::kPublic, {}}), "share_exists");
    while (published() < kMaxShares)
        make(ShareLevel::kLink);
    EXPECT_EQ(refused({8080, ShareLevel::kLink, {}}), "too_many_shares");
    write([this](store::Transaction& tx) {
        workspace_.desired_state = model::DesiredState::kDeleted;
        tx.workspaces().update(workspace_);
    });
    EXPECT_EQ(refused({3000, ShareLevel::kUsers, {}}), "workspace_deleting");
}

TEST_F(Shares, WithoutAnOriginForEachApplicationNothingIsShared) {
    make(ShareLevel::kPublic);
    ShareService without(loop_.executor(), clock_, *store_, routes_, catalogue_, keys_, false);
    EXPECT_EQ(word_of([&] { run(without.create(owner_, workspace_.id, {3000, ShareLevel::kUsers, {}})); }),
              "apps_domain_missing");
    EXPECT_FALSE(run(without.may_open(other_, workspace_.id, 8080)));
    EXPECT_EQ(word_of([&] { run(without.find_openable(other_, workspace_.id)); }), "workspace_not_found");
    EXPECT_EQ(run(without.list(owner_, workspace_.id)).size(), 1U) << "shown, and can be taken back";
}

TEST_F(Shares, OthersGetATicketOnlyForWhatIsOpenToThem) {
    EXPECT_TRUE(may_open(owner_, 9999));
    EXPECT_FALSE(may_open(other_));
    const auto openable = [&] {
        return word_of([&] { run(shares_.find_openable(other_, workspace_.id)); }).empty();
    };
    make(ShareLevel::kLink);
    EXPECT_FALSE(openable());
    make(ShareLevel::kUsers, clock_.now() + 5s);
    EXPECT_TRUE(openable());
    EXPECT_TRUE(may_open(other_));
    EXPECT_FALSE(may_open(other_, 3000));
    loop_.run_for(5s);
    EXPECT_FALSE(openable());
    EXPECT_FALSE(may_open(other_));
}

TEST_F(Shares, ATicketOfAnotherEndsWithTheShare) {
    const auto share = make(ShareLevel::kUsers);
    const auto bob = run(accounts_.register_account({"bob@example.org", "bob", kPassword, {}, {}}, client_));
    TicketService tickets(*store_, clock_, keys_);
    const auto ticket = [&] { return run(tickets.issue(principal(bob), workspace_.id, 8080)).text; };
    const auto used = run(tickets.redeem(ticket(), workspace_.id, 8080));
    ASSERT_TRUE(used);
    const auto late = ticket();
    run(shares_.remove(owner_, workspace_.id, share.id));
    EXPECT_EQ(run(tickets.redeem(late, workspace_.id, 8080)).error(), auth::Failure::kRevoked);
}

TEST_F(Shares, WhatAnotherServerChangedIsReadAgain) {
    const auto mine = make(ShareLevel::kPublic);
    write([this, mine](store::Transaction& tx) {
        tx.shares().remove(mine.id);
        tx.shares().insert({.id = base::ShareId::generate(),
                            .workspace_id = workspace_.id,
                            .user_id = owner_,
                            .port = 3000,
                            .level = ShareLevel::kPublic,
                            .created_at = {},
                            .expires_at = {}});
    });
    EXPECT_TRUE(opens(kStranger));
    shares_.look_again();
    loop_.run_for(1ms);
    EXPECT_FALSE(opens(kStranger));
    EXPECT_TRUE(opens(kStranger, 3000));
}

TEST_F(Shares, TheyEndWithTheirOwnersAccountAndComeBackWithIt) {
    make(ShareLevel::kPublic);
    const auto set_active = [&](bool active) {
        write([this, active](store::Transaction& tx) {
            auto user = *tx.users().find(owner_);
            user.is_active = active;
            tx.users().update(user);
        });
    };
    set_active(false);
    shares_.look_again();
    loop_.run_for(1ms);
    EXPECT_FALSE(opens(kStranger));
    set_active(true);
    // Nobody tells of that.
    loop_.run_for(1min);
    EXPECT_TRUE(opens(kStranger));
}

}  // namespace
}  // namespace agentdb9::services
