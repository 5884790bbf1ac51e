#include "services/specs.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace agentdb9::services {
namespace {

class Specs : public testing::Test {
  protected:
    Job job(const std::string& type) {
        Job made{
            .workspace = {.id = base::WorkspaceId::generate(), .name = "w", .user_id = user_, .type = type},
            .project = {},
            .next_project = {},
            .operation = {}};
        made.project = model::Project{.id = base::ProjectId::generate(), .name = "p", .user_id = user_};
        made.workspace.current_project_id = made.project->id;
        made.workspace.generation = 4;
        made.workspace.desired_state = model::DesiredState::kRunning;
        return made;
    }

    base::UserId user_ = base::UserId::generate();
    model::Catalogue catalogue_{model::built_in_types()};
};

TEST_F(Specs, AnApplicationThatKeepsItsPrefixIsToldItsBasePath) {
    const auto made = job("notebook");
    const auto spec = make_spec(made.workspace, *made.project, *catalogue_.find("notebook"), 4);
    const auto path = "/" + made.workspace.id.str() + "/8888/";
    EXPECT_EQ(base_path(made.workspace.id, 8888), path);
    EXPECT_EQ(spec.env.at("NB_BASE_URL"), path);
    EXPECT_EQ(spec.port, 8888);
}

TEST_F(Specs, TheBasePathIsFilledInWhereverItStands) {
    auto type = *catalogue_.find("notebook");
    type.command = {"--base={basePath}", "{basePath}{basePath}", "{base"};
    const auto made = job("notebook");
    const auto path = base_path(made.workspace.id, 8888);
    const auto spec = make_spec(made.workspace, *made.project, type, 1);
    EXPECT_EQ(spec.command, (std::vector<std::string>{"--base=" + path, path + path, "{base"}));
}

TEST_F(Specs, TheContainerIsToldWhoItIsWhateverTheTypeSays) {
    auto type = *catalogue_.find("vscode");
    type.env["WORKSPACE_ID"] = "forged";
    const auto made = job("vscode");
    const auto spec = make_spec(made.workspace, *made.project, type, 1);
    EXPECT_EQ(spec.env.at("WORKSPACE_ID"), made.workspace.id.str());
    EXPECT_EQ(spec.env.at("WORKSPACE_TYPE"), "vscode");
    EXPECT_EQ(spec.env.at("PROJECT_ID"), made.project->id.str());
}

TEST_F(Specs, TheProjectsVolumeIsMountedAndTheHomeWhereTheTypeKeepsOne) {
    auto made = job("vscode");
    auto spec = make_spec(made.workspace, *made.project, *catalogue_.find("vscode"), 1);
    EXPECT_EQ(spec.mounts,
              (std::vector<model::Mount>{{model::project_volume_name(made.project->id), "/workspace"},
                                         {model::home_volume_name(made.workspace.id), "/home/coder"}}));
    // The rows know better: a restored volume has another name.
    made.project->volume_name = "restored-r2";
    made.workspace.volume_name = "home-r3";
    spec = make_spec(made.workspace, *made.project, *catalogue_.find("vscode"), 1);
    EXPECT_EQ(spec.mounts[0].volume, "restored-r2");
    EXPECT_EQ(spec.mounts[1].volume, "home-r3");
    EXPECT_EQ(make_spec(made.workspace, *made.project, *catalogue_.find("notebook"), 1).mounts.size(), 1U);
}

TEST_F(Specs, TheProbeAsksBelowTheBasePathWhereThePrefixIsKept) {
    const auto id = base::WorkspaceId::generate();
    EXPECT_EQ(probe_path(id, *catalogue_.find("vscode")), "/healthz");
    EXPECT_EQ(probe_path(id, *catalogue_.find("notebook")), "/" + id.str() + "/8888/api");
    auto silent = *catalogue_.find("vscode");
    silent.health_check.enabled = false;
    EXPECT_FALSE(probe_path(id, silent));
}

TEST_F(Specs, AReplacementIsWantedBesideTheCurrentOne) {
    auto made = job("spreadsheet");
    made.next_project = model::Project{.id = base::ProjectId::generate(), .name = "q", .user_id = user_};
    made.workspace.next_generation = 5;
    const auto wanted = make_wanted(made, catalogue_);
    ASSERT_TRUE(wanted.desired.current && wanted.desired.next);
    EXPECT_TRUE(wanted.desired.may_overlap);
    EXPECT_EQ(wanted.spec_of(4)->project_id, made.project->id);
    EXPECT_EQ(wanted.spec_of(5)->project_id, made.next_project->id);
    EXPECT_EQ(wanted.spec_of(6), nullptr);
    EXPECT_FALSE(make_wanted(job("vscode"), catalogue_).desired.may_overlap) << "it keeps a home";
}

TEST_F(Specs, WhatCannotRunSaysWhy) {
    const auto word = [&](const Job& of) {
        try {
            make_wanted(of, catalogue_);
        } catch (const base::Error& error) {
            return error.word();
        }
        return std::string();
    };
    EXPECT_EQ(word(job("gone")), "workspace_type_unknown");
    auto orphan = job("vscode");
    orphan.project.reset();
    EXPECT_EQ(word(orphan), "project_missing");
    auto lost = job("vscode");
    lost.workspace.next_generation = 5;
    EXPECT_EQ(word(lost), "project_missing");
    // To stop or delete it nothing has to be known.
    auto stopped = job("gone");
    stopped.workspace.desired_state = model::DesiredState::kStopped;
    EXPECT_EQ(word(stopped), "");
    stopped.workspace.desired_state = model::DesiredState::kDeleted;
    EXPECT_EQ(word(stopped), "");
}

}  // namespace
}  // namespace agentdb9::services
