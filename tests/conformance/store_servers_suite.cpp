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

TEST_P(StoreSuite, ALeaseThatIsOverIsTheNextOnes) {
    const auto take = [&](const std::string& holder, std::chrono::milliseconds time) {
        return write([=](Transaction& tx) { return tx.leases().take(kWorkspace, holder, time); });
    };
    const auto first = take("a", -1ms);
    ASSERT_TRUE(first);
    EXPECT_FALSE(read([&](Transaction& tx) { return tx.leases().holds(kWorkspace, "a", *first); }));
    EXPECT_GT(take("b", 60s), first);
}

}  // namespace
}  // namespace agentdb9::store
