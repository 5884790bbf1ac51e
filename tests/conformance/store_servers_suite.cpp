// What several servers on one database need; on a database of one server it works all the same.
#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using namespace std::chrono_literals;

TEST_P(StoreSuite, ALeaseIsOneServersUntilItIsOverOrReleased) {
    const auto take = [&](const std::string& holder, std::chrono::milliseconds time) {
        return write([=](Transaction& tx) { return tx.leases().take(kWorkspace, holder, time); });
    };
    const auto holds = [&](const std::string& holder, std::int64_t token) {
        return read([=](Transaction& tx) { return tx.leases().holds(kWorkspace, holder, token); });
    };
    const auto first = take("a", 60s);
    ASSERT_TRUE(first);
    EXPECT_TRUE(holds("a", *first));
    EXPECT_FALSE(take("b", 60s));
    EXPECT_EQ(take("a", 60s), first) << "renewed";
    write([](Transaction& tx) { tx.leases().release(kWorkspace, "b"); });
    EXPECT_FALSE(take("b", 60s)) << "only the holder gives it back";
    write([](Transaction& tx) { tx.leases().release(kWorkspace, "a"); });
    EXPECT_FALSE(holds("a", *first));
    const auto second = take("b", 60s);
    ASSERT_TRUE(second);
    EXPECT_GT(*second, *first) << "a token is never given out twice";
    EXPECT_FALSE(holds("a", *first));
    EXPECT_FALSE(holds("a", *second));
    EXPECT_TRUE(holds("b", *second));
    write([](Transaction& tx) { tx.leases().forget(kWorkspace); });
    EXPECT_FALSE(holds("b", *second));
}

TEST_P(StoreSuite, WhoHasJustBeenMadeHasNotChanged) {
    auto changed = make_user("changed@example.org");
    auto fresh = make_user("fresh@example.org");
    changed.created_at = fresh.created_at = fresh.updated_at = base::from_unix_ms(5000);
    changed.updated_at = base::from_unix_ms(6000);
    write([=](Transaction& tx) {
        tx.users().insert(changed);
        tx.users().insert(fresh);
    });
    const auto since = [&](std::int64_t ms) {
        return read([=](Transaction& tx) { return tx.users().changed_since(base::from_unix_ms(ms)); });
    };
    EXPECT_THAT(since(4000), testing::ElementsAre(changed.id));
    EXPECT_THAT(since(6001), testing::IsEmpty());
}

TEST_P(StoreSuite, ALeaseThatIsOverIsTheNextOnes) {
    const auto take = [&](const std::string& holder, std::chrono::milliseconds time) {
        return write([=](Transaction& tx) { return tx.leases().take(kWorkspace, holder, time); });
    };
    const auto first = take("a", -1ms);
    ASSERT_TRUE(first);
    EXPECT_FALSE(read([&](Transaction& tx) { return tx.leases().holds(kWorkspace, "a", *first); }));
    EXPECT_GT(take("b", 60s), first);
}

TEST_P(StoreSuite, AVolumeIsClaimedForAsLongAsTheLeaseLasts) {
    const auto other = model::WorkspaceId::generate();
    const auto take = [&](const model::WorkspaceId& workspace, const std::string& holder) {
        return *write([=](Transaction& tx) { return tx.leases().take(workspace, holder, 60s); });
    };
    const auto claim = [&](const model::WorkspaceId& workspace, std::int64_t token) {
        return write([=](Transaction& tx) { return tx.leases().claim_volume("v", workspace, token); });
    };
    const auto first = take(kWorkspace, "a");
    const auto second = take(other, "b");
    EXPECT_TRUE(claim(kWorkspace, first));
    EXPECT_TRUE(claim(kWorkspace, first)) << "its own already";
    EXPECT_FALSE(claim(other, second));
    write([](Transaction& tx) { tx.leases().release(kWorkspace, "a"); });
    EXPECT_TRUE(claim(other, second));
    EXPECT_FALSE(claim(kWorkspace, take(kWorkspace, "a")));
    write([=](Transaction& tx) { tx.leases().forget(other); });
    EXPECT_TRUE(claim(kWorkspace, take(kWorkspace, "a")));
}

TEST_P(StoreSuite, AClaimUnderALeaseThatAnotherTookOverIsVoid) {
    const auto other = model::WorkspaceId::generate();
    write([=](Transaction& tx) {
        const auto first = tx.leases().take(kWorkspace, "a", 60s);
        ASSERT_TRUE(tx.leases().claim_volume("v", kWorkspace, *first));
        tx.leases().take(kWorkspace, "a", -1ms);
        ASSERT_GT(tx.leases().take(kWorkspace, "b", 60s), first);
        EXPECT_TRUE(tx.leases().claim_volume("v", other, 1));
    });
}

}  // namespace
}  // namespace agentdb9::store
