#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using model::Quota;

TEST_P(StoreSuite, AQuotaIsKeptAsItIsSetAndTakenAwayWhole) {
    const auto quota_of = [&](const model::UserId& user) {
        return read([=](Transaction& tx) { return tx.quotas().of_user(user); });
    };
    const auto set = [&](Quota quota) { write([=](Transaction& tx) { tx.quotas().set(kOwner, quota); }); };
    EXPECT_TRUE(quota_of(kOwner).empty());
    const Quota all{
        .workspaces = 5, .running = 0, .cpus = 2.5, .memory_mb = 4096, .volume_bytes = std::int64_t{1} << 40};
    set(all);
    EXPECT_EQ(quota_of(kOwner), all);
    EXPECT_TRUE(quota_of(model::UserId::generate()).empty());
    const Quota some{.running = 3};
    set(some);
    EXPECT_EQ(quota_of(kOwner), some);
    set({.cpus = 4});
    EXPECT_EQ(quota_of(kOwner), (Quota{.cpus = 4}));
    set({});
    EXPECT_TRUE(quota_of(kOwner).empty());
}

TEST_P(StoreSuite, WhetherVolumesAreLimitedForAnybodyIsKnown) {
    const auto any = [&] { return read([](Transaction& tx) { return tx.quotas().any_limits_volumes(); }); };
    write([](Transaction& tx) { tx.quotas().set(kOwner, {.running = 3, .volume_bytes = 0}); });
    EXPECT_FALSE(any());
    write([](Transaction& tx) { tx.quotas().set(model::UserId::generate(), {.volume_bytes = 7}); });
    EXPECT_TRUE(any());
}

TEST_P(StoreSuite, WhatVolumesHoldIsOfTheLastMeasurement) {
    const auto other = model::UserId::generate();
    const auto use_of = [&](const model::UserId& user) {
        return read([=](Transaction& tx) { return tx.quotas().volume_use(user); });
    };
    EXPECT_FALSE(use_of(kOwner));
    write([=](Transaction& tx) {
        tx.quotas().set_volume_use({{kOwner, 5}, {other, std::int64_t{1} << 41}}, at(1));
    });
    ASSERT_TRUE(use_of(other));
    EXPECT_EQ(use_of(other)->bytes, std::int64_t{1} << 41);
    EXPECT_EQ(use_of(other)->measured_at, at(1));
    write([=](Transaction& tx) { tx.quotas().set_volume_use({{kOwner, 6}}, at(2)); });
    EXPECT_EQ(use_of(kOwner)->bytes, 6);
    EXPECT_FALSE(use_of(other));
}

}  // namespace
}  // namespace agentdb9::store
