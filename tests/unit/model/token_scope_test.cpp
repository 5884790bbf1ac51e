#include "model/token_scope.hpp"

#include <gtest/gtest.h>

namespace agentdb9::model {
namespace {

TEST(TokenScope, ApplicationsAreForThoseWhoMayWriteThere) {
    const auto own = base::WorkspaceId::generate();
    const auto other = base::WorkspaceId::generate();
    struct Case {
        TokenScope scope;
        std::optional<base::WorkspaceId> workspace;
        bool opens;
    };
    for (const auto& [scope, workspace, opens] : std::vector<Case>{
             {{}, own, true},
             {{}, {}, true},
             {{TokenPower::kWrite, {}}, own, true},
             {{TokenPower::kWrite, {}}, {}, true},
             {{TokenPower::kRead, {}}, own, false},
             {{TokenPower::kRead, {}}, {}, false},
             {{TokenPower::kWrite, own}, own, true},
             {{TokenPower::kWrite, own}, other, false},
             {{TokenPower::kWrite, own}, {}, false},
             {{TokenPower::kRead, own}, own, false},
             {{TokenPower::kFull, own}, other, false},
         })
        EXPECT_EQ(!refuse_application(scope, workspace), opens)
            << int(scope.power) << scope.workspace.has_value() << workspace.has_value();
}

TEST(TokenScope, OnlyOneWithoutAnyBoundIsFull) {
    EXPECT_TRUE(TokenScope().is_full());
    EXPECT_FALSE((TokenScope{TokenPower::kWrite, {}}.is_full()));
    EXPECT_FALSE((TokenScope{TokenPower::kFull, base::WorkspaceId::generate()}.is_full()));
}

}  // namespace
}  // namespace agentdb9::model
