#include "model/entities.hpp"

#include <gtest/gtest.h>

#include <set>

#include "model/backup.hpp"

namespace agentdb9::model {
namespace {

// Every enumerator from the first to `last` has a text of its own, which leads back to it.
template <class Enum>
void expect_round_trip(Enum last) {
    std::set<std::string> texts;
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        const auto value = static_cast<Enum>(i);
        const std::string text(to_text(value));
        EXPECT_FALSE(text.empty()) << i;
        EXPECT_TRUE(texts.insert(text).second) << text;
        EXPECT_EQ(enum_from_text<Enum>(text), value) << text;
        EXPECT_FALSE(enum_from_text<Enum>(text + " "));
    }
    EXPECT_FALSE(enum_from_text<Enum>(""));
    EXPECT_FALSE(enum_from_text<Enum>("Running"));
}

TEST(Entities, EveryEnumeratorsTextLeadsBackToIt) {
    expect_round_trip(Role::kAdmin);
    expect_round_trip(WorkspaceStatus::kError);
    expect_round_trip(DesiredState::kDeleted);
    expect_round_trip(Phase::kFailed);
    expect_round_trip(OperationKind::kRecover);
    expect_round_trip(OperationState::kSuperseded);
    expect_round_trip(VolumeKind::kUnfinished);
    expect_round_trip(ProjectOperationKind::kImport);
    expect_round_trip(BackupState::kDeleting);
}

TEST(Entities, ClientsKnowTheSixStatuses) {
    EXPECT_EQ(kWorkspaceStatusCount, 6U);
    for (const auto* text : {"active", "inactive", "archived", "running", "stopped", "error"})
        EXPECT_TRUE(enum_from_text<WorkspaceStatus>(text)) << text;
}

TEST(Entities, AnOperationIsOpenUntilItHasEnded) {
    EXPECT_TRUE(is_open(OperationState::kPending));
    EXPECT_TRUE(is_open(OperationState::kRunning));
    EXPECT_FALSE(is_open(OperationState::kSucceeded));
    EXPECT_FALSE(is_open(OperationState::kFailed));
    EXPECT_FALSE(is_open(OperationState::kSuperseded));
}

}  // namespace
}  // namespace agentdb9::model
