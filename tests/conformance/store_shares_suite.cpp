#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using model::Share;
using model::ShareLevel;
using testing::ElementsAre;
using testing::IsEmpty;

Share make_share(const model::WorkspaceId& workspace, ShareLevel level, std::int64_t created_ms = 0,
                 std::optional<model::Time> expires_at = {}) {
    return {.id = model::ShareId::generate(),
            .workspace_id = workspace,
            .user_id = kOwner,
            .port = 8080,
            .level = level,
            .created_at = at(created_ms),
            .expires_at = expires_at};
}

TEST_P(StoreSuite, SharesAreKeptAsTheyAre) {
    const auto forever = make_share(kWorkspace, ShareLevel::kPublic, 1);
    const auto link = make_share(kWorkspace, ShareLevel::kLink, 2, at(5000));
    const auto elsewhere = make_share(model::WorkspaceId::generate(), ShareLevel::kUsers, 3);
    write([=](Transaction& tx) {
        for (const auto& share : {forever, link, elsewhere})
            tx.shares().insert(share);
    });
    EXPECT_EQ(read([&](Transaction& tx) { return tx.shares().find(link.id); }), link);
    const auto of_workspace = [&] {
        return read([](Transaction& tx) { return tx.shares().of_workspace(kWorkspace); });
    };
    EXPECT_THAT(of_workspace(), ElementsAre(link, forever));
    write([&](Transaction& tx) { tx.shares().remove(link.id); });
    EXPECT_THAT(of_workspace(), ElementsAre(forever));
    write([&](Transaction& tx) { tx.shares().remove_all(kWorkspace); });
    EXPECT_THAT(of_workspace(), IsEmpty());
    EXPECT_TRUE(read([&](Transaction& tx) { return tx.shares().find(elsewhere.id); }));
}

TEST_P(StoreSuite, APortHasOneShareOfALevelAndManyLinks) {
    const auto insert = [&](Share share) {
        return word_of([&] { write([=](Transaction& tx) { tx.shares().insert(share); }); });
    };
    for (auto level : {ShareLevel::kUsers, ShareLevel::kPublic}) {
        EXPECT_EQ(insert(make_share(kWorkspace, level)), "");
        EXPECT_EQ(insert(make_share(kWorkspace, level)), "duplicate");
        auto other_port = make_share(kWorkspace, level);
        other_port.port = 3000;
        EXPECT_EQ(insert(other_port), "");
        EXPECT_EQ(insert(make_share(model::WorkspaceId::generate(), level)), "");
    }
    EXPECT_EQ(insert(make_share(kWorkspace, ShareLevel::kLink)), "");
    EXPECT_EQ(insert(make_share(kWorkspace, ShareLevel::kLink)), "");
}

TEST_P(StoreSuite, SharesAreInForceWhileTheyLastAndTheirWorkspaceAndItsOwnerDo) {
    auto user = make_user("owner@example.org");
    auto workspace = make_workspace(user.id, "w");
    const auto share = make_share(workspace.id, ShareLevel::kPublic, 0, at(1000));
    const auto stray = make_share(model::WorkspaceId::generate(), ShareLevel::kPublic);
    write([=](Transaction& tx) {
        tx.users().insert(user);
        tx.workspaces().insert(workspace);
        tx.shares().insert(share);
        tx.shares().insert(stray);
    });
    const auto in_force = [&](std::int64_t ms) {
        return read([=](Transaction& tx) { return tx.shares().in_force(at(ms)); });
    };
    EXPECT_THAT(in_force(999), ElementsAre(share));
    EXPECT_THAT(in_force(1000), IsEmpty());
    user.is_active = false;
    write([=](Transaction& tx) { tx.users().update(user); });
    EXPECT_THAT(in_force(0), IsEmpty()) << "the owner is locked out";
    user.is_active = true;
    workspace.desired_state = model::DesiredState::kDeleted;
    write([=](Transaction& tx) {
        tx.users().update(user);
        tx.workspaces().update(workspace);
    });
    EXPECT_THAT(in_force(0), IsEmpty()) << "the workspace is being deleted";
}

TEST_P(StoreSuite, SharesGoWithTheirWorkspaceAndWithTime) {
    const auto workspace = make_workspace(kOwner, "w");
    const auto with_workspace = make_share(workspace.id, ShareLevel::kPublic);
    const auto short_lived = make_share(kWorkspace, ShareLevel::kUsers, 0, at(1000));
    const auto lasting = make_share(kWorkspace, ShareLevel::kPublic);
    write([=](Transaction& tx) {
        tx.workspaces().insert(workspace);
        for (const auto& share : {with_workspace, short_lived, lasting})
            tx.shares().insert(share);
    });
    write([=](Transaction& tx) { tx.workspaces().remove(workspace.id); });
    EXPECT_FALSE(read([=](Transaction& tx) { return tx.shares().find(with_workspace.id); }));
    EXPECT_EQ(write([](Transaction& tx) { return tx.shares().prune(at(1000)); }), 0);
    EXPECT_EQ(write([](Transaction& tx) { return tx.shares().prune(at(1001)); }), 1);
    EXPECT_THAT(read([](Transaction& tx) { return tx.shares().of_workspace(kWorkspace); }),
                ElementsAre(lasting));
}

}  // namespace
}  // namespace agentdb9::store
