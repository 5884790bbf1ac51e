#include "model/share.hpp"

#include <gtest/gtest.h>

namespace agentdb9::model {
namespace {

using namespace std::chrono_literals;

const Time kNow = base::from_unix_ms(1'000'000);
const Visitor kStranger{};
const Visitor kUser{.signed_in = true, .link = {}};

Sharing sharing(ShareLevel level, int port = 8080, std::optional<Time> expires_at = {},
                std::string link = {}) {
    return {{.id = ShareId::generate(),
             .workspace_id = WorkspaceId::generate(),
             .user_id = UserId::generate(),
             .port = port,
             .level = level,
             .created_at = kNow,
             .expires_at = expires_at},
            std::move(link)};
}

bool opens(const std::vector<Sharing>& sharings, const Visitor& visitor, int port = 8080) {
    return sharing_for(sharings, port, visitor, kNow) != nullptr;
}

TEST(Share, WithoutOneNothingIsOpen) {
    EXPECT_FALSE(opens({}, kUser));
    EXPECT_FALSE(opens({}, {.signed_in = true, .link = "x"}));
}

TEST(Share, EachLevelOpensToItsOwn) {
    EXPECT_TRUE(opens({sharing(ShareLevel::kPublic)}, kStranger));
    EXPECT_TRUE(opens({sharing(ShareLevel::kUsers)}, kUser));
    EXPECT_FALSE(opens({sharing(ShareLevel::kUsers)}, kStranger));
    const std::vector<Sharing> link{sharing(ShareLevel::kLink, 8080, {}, "secret")};
    EXPECT_TRUE(opens(link, {.signed_in = false, .link = "secret"}));
    EXPECT_FALSE(opens(link, kStranger));
    EXPECT_FALSE(opens(link, kUser));
    EXPECT_FALSE(opens(link, {.signed_in = true, .link = "Secret"}));
    EXPECT_FALSE(opens(link, {.signed_in = true, .link = "secret2"}));
}

TEST(Share, ALinkWithoutASecretOpensToNobody) {
    EXPECT_FALSE(opens({sharing(ShareLevel::kLink)}, kStranger));
    EXPECT_FALSE(opens({sharing(ShareLevel::kLink)}, kUser));
}

TEST(Share, IsForItsPortOnly) {
    for (auto level : {ShareLevel::kPublic, ShareLevel::kUsers, ShareLevel::kLink})
        EXPECT_FALSE(opens({sharing(level, 8080, {}, "s")}, {.signed_in = true, .link = "s"}, 8081));
}

TEST(Share, EndsToTheMillisecond) {
    EXPECT_TRUE(opens({sharing(ShareLevel::kPublic, 8080, kNow + 1ms)}, kStranger));
    EXPECT_FALSE(opens({sharing(ShareLevel::kPublic, 8080, kNow)}, kStranger));
    EXPECT_TRUE(opens({sharing(ShareLevel::kPublic, 8080, kNow), sharing(ShareLevel::kPublic)}, kStranger));
}

TEST(Share, LevelsHaveNames) {
    for (auto level : {ShareLevel::kPublic, ShareLevel::kUsers, ShareLevel::kLink})
        EXPECT_EQ(enum_from_text<ShareLevel>(to_text(level)), level);
    EXPECT_FALSE(enum_from_text<ShareLevel>("owner"));
    EXPECT_FALSE(enum_from_text<ShareLevel>(""));
}

}  // namespace
}  // namespace agentdb9::model
