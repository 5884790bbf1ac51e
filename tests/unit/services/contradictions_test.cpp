#include "services/contradictions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agentdb9::services {
namespace {

using model::DesiredState;
using testing::HasSubstr;

class Contradictions : public testing::Test {
  protected:
    Contradictions() {
        rows_.users.push_back({.id = user_});
        project_ = add_project();
        rows_.workspaces.push_back(workspace(project_));
    }

    base::ProjectId add_project() {
        model::Project project{.id = base::ProjectId::generate(), .name = "thesis", .user_id = user_};
        project.volume_name = "volume-" + project.id.str();
        rows_.projects.push_back(project);
        return project.id;
    }
    // One that runs, as it should be.
    model::Workspace workspace(const base::ProjectId& project) {
        model::Workspace row{.id = base::WorkspaceId::generate(), .name = "desk", .user_id = user_};
        row.desired_state = DesiredState::kRunning;
        row.phase = model::Phase::kRunning;
        row.status = model::WorkspaceStatus::kRunning;
        row.current_project_id = project;
        row.generation = row.last_generation = 3;
        return row;
    }
    model::Workspace& first() { return rows_.workspaces.front(); }
    std::vector<Contradiction> found() { return find_contradictions(rows_, now_); }
    // What the only contradiction makes of the first workspace; a second look must find nothing.
    model::Workspace mended() {
        const auto all = found();
        EXPECT_EQ(all.size(), 1U);
        if (all.empty() || !all.front().workspace) return first();
        first() = *all.front().workspace;
        EXPECT_TRUE(found().empty()) << "it is mended by once";
        return first();
    }

    Rows rows_;
    model::Time now_ = base::from_unix_ms(1'000'000);
    base::UserId user_ = base::UserId::generate();
    base::ProjectId project_ = base::ProjectId::generate();
};

TEST_F(Contradictions, AreNoneWhereAllIsWell) {
    first().is_default = true;
    first().next_generation = ++first().last_generation;
    first().next_project_id = add_project();
    EXPECT_TRUE(found().empty());
    first().desired_state = DesiredState::kDeleted;
    first().current_project_id.reset();
    EXPECT_TRUE(found().empty()) << "what is being deleted is on its way";
}

TEST_F(Contradictions, AReplacementNeedsAGenerationAProjectAndSomethingToReplace) {
    first().next_generation = 3;
    EXPECT_FALSE(mended().next_generation);
    first().next_project_id = project_;
    EXPECT_FALSE(mended().next_project_id);
    first().next_generation = 3;
    first().next_project_id = base::ProjectId::generate();
    EXPECT_FALSE(mended().next_project_id) << "that project does not exist";
    EXPECT_EQ(first().desired_state, DesiredState::kRunning) << "it goes on as it is";
}

TEST_F(Contradictions, WhatRunsNeedsAProjectOfItsUser) {
    rows_.projects.front().user_id = base::UserId::generate();
    rows_.users.push_back({.id = rows_.projects.front().user_id});
    const auto row = mended();
    EXPECT_FALSE(row.current_project_id);
    EXPECT_EQ(row.desired_state, DesiredState::kStopped);
    EXPECT_EQ(row.status, model::WorkspaceStatus::kError);
    EXPECT_THAT(row.last_error.value_or(""), HasSubstr("Start it again."));
}

TEST_F(Contradictions, GenerationsAreNeverGivenOutTwice) {
    first().last_generation = 1;
    EXPECT_EQ(mended().last_generation, 3);
    first().generation = 0;
    EXPECT_EQ(mended().generation, 4);
}

TEST_F(Contradictions, AProjectIsRunByOneWorkspace) {
    rows_.workspaces.push_back(workspace(project_));
    rows_.workspaces.back().updated_at = now_;
    EXPECT_EQ(mended().desired_state, DesiredState::kStopped);
    EXPECT_EQ(rows_.workspaces.back().desired_state, DesiredState::kRunning);
}

TEST_F(Contradictions, AUserHasOneDefault) {
    rows_.workspaces.push_back(workspace(add_project()));
    rows_.workspaces.back().updated_at = now_;
    first().is_default = rows_.workspaces.back().is_default = true;
    EXPECT_FALSE(mended().is_default);
}

TEST_F(Contradictions, WhatRestsIsNotShownAsRunning) {
    first().desired_state = DesiredState::kStopped;
    first().phase = model::Phase::kStopped;
    EXPECT_EQ(mended().status, model::WorkspaceStatus::kStopped);
}

TEST_F(Contradictions, AProjectIsNotAssignedToAWorkspaceThatDoesNotExist) {
    rows_.projects.front().workspace_id = base::WorkspaceId::generate();
    rows_.projects.front().workspace_type = "vscode";
    const auto all = found();
    ASSERT_EQ(all.size(), 1U);
    ASSERT_TRUE(all.front().project);
    EXPECT_FALSE(all.front().project->workspace_id);
    EXPECT_FALSE(all.front().project->workspace_type);
}

TEST_F(Contradictions, WhatIsInUseDoesNotLieInTheTrash) {
    model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = user_};
    tombstone.volume_name = *rows_.projects.front().volume_name;
    tombstone.purging_since = now_;
    rows_.trash.push_back(tombstone);
    const auto all = found();
    ASSERT_EQ(all.size(), 1U);
    ASSERT_TRUE(all.front().tombstone);
    EXPECT_EQ(all.front().tombstone->restored_at, now_);
    EXPECT_FALSE(all.front().tombstone->purging_since);
}

TEST_F(Contradictions, WhatOnlyAPersonCanDecideIsToldAndNotMended) {
    add_project();
    rows_.projects.back().volume_name = rows_.projects.front().volume_name;
    first().user_id = base::UserId::generate();
    const auto all = found();
    ASSERT_EQ(all.size(), 2U);
    for (const auto& each : all) {
        EXPECT_FALSE(each.mends());
        EXPECT_FALSE(each.remedy.empty());
    }
}

}  // namespace
}  // namespace agentdb9::services
