#include "services/workspaces_service.hpp"

#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

class Workspaces : public ServicesTest {
  protected:
    model::Workspace create(const std::string& type = "vscode", bool is_default = false) {
        loop_.run_for(1s);
        return run(workspaces_.create(user_, {.type = type, .is_default = is_default}));
    }
    bool is_default(const model::Workspace& row) { return run(workspaces_.find(user_, row.id)).is_default; }
    void begin_deleting(const base::WorkspaceId& id) {
        write([id](store::Transaction& tx) {
            auto row = *tx.workspaces().find(id);
            row.desired_state = model::DesiredState::kDeleted;
            row.phase = model::Phase::kDeleting;
            row.is_default = false;
            tx.workspaces().update(row);
        });
    }

    model::Catalogue catalogue_{model::built_in_types()};
    base::UserId user_ = base::UserId::generate();
    RouteBook routes_{catalogue_};
    WorkspacesService workspaces_{clock_, *store_, routes_, catalogue_};
};

TEST_F(Workspaces, TheFirstOneIsTheDefaultUntilAnotherIsMadeIt) {
    const auto first = create();
    const auto second = create("notebook");
    EXPECT_TRUE(is_default(first));
    EXPECT_FALSE(is_default(second));
    run(workspaces_.set_default(user_, second.id));
    EXPECT_FALSE(is_default(first));
    EXPECT_TRUE(is_default(second));
    const auto third = create("design", true);
    EXPECT_TRUE(is_default(third));
    EXPECT_FALSE(is_default(second));
}

TEST_F(Workspaces, OneThatIsBeingDeletedDoesNotCountForTheDefault) {
    begin_deleting(create().id);
    EXPECT_TRUE(is_default(create()));
    EXPECT_FALSE(is_default(create()));
}

TEST_F(Workspaces, TheDefaultIsSeenAmongMoreThanAThousand) {
    const auto first = create();
    write([user = user_, now = clock_.now()](store::Transaction& tx) {
        for (int i = 0; i < 1100; ++i) {
            model::Workspace row{
                .id = base::WorkspaceId::generate(), .name = "w", .user_id = user, .type = "vscode"};
            row.desired_state = model::DesiredState::kDeleted;
            row.created_at = now + base::Duration(i);
            tx.workspaces().insert(row);
        }
    });
    EXPECT_FALSE(is_default(create()));
    EXPECT_TRUE(is_default(first));
}

TEST_F(Workspaces, OneWithoutANameGetsOneOfItsType) {
    EXPECT_EQ(create().name, "VS Code workspace");
    EXPECT_EQ(create().name, "VS Code workspace 2");
    EXPECT_EQ(create("notebook").name, "Notebook workspace");
}

TEST_F(Workspaces, OneThatIsBeingDeletedIsListedSoAndChangedNoMore) {
    const auto row = create();
    begin_deleting(row.id);
    const auto listed = run(workspaces_.list(user_, {})).rows;
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].phase, model::Phase::kDeleting);
    EXPECT_EQ(word_of([&] { run(workspaces_.set_default(user_, row.id)); }), "workspace_deleting");
    EXPECT_FALSE(run(workspaces_.counts(user_)).default_workspace);
}

TEST_F(Workspaces, AnothersIsNotThere) {
    const auto row = create();
    const auto eve = base::UserId::generate();
    EXPECT_EQ(word_of([&] { run(workspaces_.find(eve, row.id)); }), "workspace_not_found");
    EXPECT_EQ(word_of([&] { run(workspaces_.set_default(eve, row.id)); }), "workspace_not_found");
    EXPECT_TRUE(run(workspaces_.list(eve, {})).rows.empty());
}

TEST_F(Workspaces, AnUnknownTypeOrAnIncompatibleProjectNamesItsField) {
    EXPECT_EQ(word_of([&] { create("nothing"); }), "invalid_field");
    model::Project project{.id = base::ProjectId::generate(), .name = "p", .user_id = user_};
    project.workspace_type = "notebook";
    write([project](store::Transaction& tx) { tx.projects().insert(project); });
    EXPECT_EQ(word_of([&] { run(workspaces_.create(user_, {.type = "vscode", .project_id = project.id})); }),
              "invalid_field");
    EXPECT_EQ(
        run(workspaces_.create(user_, {.type = "notebook", .project_id = project.id})).current_project_id,
        project.id);
}

TEST_F(Workspaces, AStatusIsNotChangedWhileItRuns) {
    const auto row = create();
    const WorkspaceChange archive{.status = model::WorkspaceStatus::kArchived};
    write([id = row.id](store::Transaction& tx) {
        auto running = *tx.workspaces().find(id);
        running.desired_state = model::DesiredState::kRunning;
        tx.workspaces().update(running);
    });
    EXPECT_EQ(word_of([&] { run(workspaces_.update(user_, row.id, archive)); }), "workspace_running");
}

}  // namespace
}  // namespace agentdb9::services
