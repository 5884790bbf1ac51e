#include "services/snapshot.hpp"

#include <gtest/gtest.h>

namespace agentdb9::services {
namespace {

const auto kTime = base::from_unix_ms(1'790'000'000'123);

model::Project project() {
    model::Project row{
        .id = base::ProjectId::generate(), .name = "n\"1", .user_id = base::UserId::generate()};
    row.description = "d";
    row.repository_url = "https://example.org/r.git";
    row.local_path = "/p";
    row.framework = "none";
    row.language = "c++";
    row.status = "archived";
    row.agents = {"a", json::object{{"b", 1}}};
    row.workspace_id = base::WorkspaceId::generate();
    row.workspace_type = "vscode";
    row.volume_path = "/v";
    row.volume_name = "agentdb9-project-x-r2";
    row.created_at = kTime;
    return row;
}

TEST(Snapshot, AProjectComesBackWhole) {
    const auto row = project();
    const auto back = project_from(json::parse(json::serialize(snapshot_of(row))).as_object());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->id, row.id);
    EXPECT_EQ(back->name, row.name);
    EXPECT_EQ(back->description, row.description);
    EXPECT_EQ(back->user_id, row.user_id);
    EXPECT_EQ(back->repository_url, row.repository_url);
    EXPECT_EQ(back->local_path, row.local_path);
    EXPECT_EQ(back->framework, row.framework);
    EXPECT_EQ(back->language, row.language);
    EXPECT_EQ(back->status, row.status);
    EXPECT_EQ(back->agents, row.agents);
    EXPECT_EQ(back->workspace_id, row.workspace_id);
    EXPECT_EQ(back->workspace_type, row.workspace_type);
    EXPECT_EQ(back->volume_path, row.volume_path);
    EXPECT_EQ(back->volume_name, row.volume_name);
    EXPECT_EQ(back->created_at, row.created_at);
}

TEST(Snapshot, WhatAProjectDidNotHaveItStillHasNot) {
    const model::Project row{
        .id = base::ProjectId::generate(), .name = "n", .user_id = base::UserId::generate()};
    const auto back = project_from(snapshot_of(row));
    ASSERT_TRUE(back);
    EXPECT_FALSE(back->description || back->repository_url || back->local_path || back->framework ||
                 back->workspace_type || back->volume_path || back->volume_name);
}

TEST(Snapshot, AWorkspaceComesBackStoppedAndNotTheDefault) {
    model::Workspace row{.id = base::WorkspaceId::generate(),
                         .name = "w",
                         .user_id = base::UserId::generate(),
                         .type = "vscode"};
    row.description = "d";
    row.current_project_id = base::ProjectId::generate();
    row.config = {{"defaultPort", 8080}};
    row.status = model::WorkspaceStatus::kRunning;
    row.volume_name = "home";
    row.is_default = true;
    row.wake_on_request = true;
    row.idle_stop_minutes = 45;
    row.schedule = json::object{{"zone", "UTC"}};
    row.limits = {.cpus = 1.5, .ulimits = {{"nofile", 9}}};
    row.created_at = kTime;
    row.desired_state = model::DesiredState::kDeleted;
    row.phase = model::Phase::kDeleting;
    row.generation = 3;
    row.last_generation = 5;
    const auto back = workspace_from(json::parse(json::serialize(snapshot_of(row))).as_object());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->limits, row.limits);
    EXPECT_EQ(back->id, row.id);
    EXPECT_EQ(back->name, row.name);
    EXPECT_EQ(back->description, row.description);
    EXPECT_EQ(back->user_id, row.user_id);
    EXPECT_EQ(back->type, row.type);
    EXPECT_EQ(back->config, row.config);
    EXPECT_EQ(back->volume_name, row.volume_name);
    EXPECT_EQ(back->created_at, row.created_at);
    EXPECT_EQ(back->last_generation, 5) << "no generation is ever given out twice";
    EXPECT_EQ(back->desired_state, model::DesiredState::kStopped);
    EXPECT_EQ(back->phase, model::Phase::kStopped);
    EXPECT_EQ(back->generation, 0);
    EXPECT_TRUE(back->wake_on_request);
    EXPECT_EQ(back->idle_stop_minutes, 45);
    EXPECT_EQ(back->schedule, row.schedule);
    EXPECT_FALSE(back->is_default || back->current_project_id);
    // One of before there was the setting.
    auto old = snapshot_of(row);
    old.erase("wakeOnRequest");
    EXPECT_FALSE(workspace_from(old)->wake_on_request);
}

TEST(Snapshot, ADamagedOneGivesNothing) {
    for (const auto* key : {"id", "userId", "name"}) {
        auto snapshot = snapshot_of(project());
        snapshot.erase(key);
        EXPECT_FALSE(project_from(snapshot)) << key;
        snapshot[key] = 7;
        EXPECT_FALSE(project_from(snapshot)) << key;
    }
    EXPECT_FALSE(workspace_from({}));
}

}  // namespace
}  // namespace agentdb9::services
