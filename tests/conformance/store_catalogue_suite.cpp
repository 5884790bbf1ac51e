#include <gmock/gmock.h>

#include "base/error.hpp"
#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// What an application printed, or a client said of itself, may be any bytes.
TEST_P(StoreSuite, TakesTextOfAnyBytesAndKeepsWhatIsText) {
    auto project = make_project(kOwner, std::string("a\0\xFF\xC3\xBC\xE6\x97", 7), 5);
    write([&](Transaction& tx) { tx.projects().insert(project); });
    const auto found = read([&](Transaction& tx) { return tx.projects().find(project.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "a\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xBC\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_P(StoreSuite, KeepsEveryFieldOfAProject) {
    auto project = make_project(kOwner, "engine", 5);
    project.description = "of analysis";
    project.repository_url = "https://example.org/x.git";
    project.local_path = "/p";
    project.framework = "none";
    project.workspace_id = kWorkspace;
    project.workspace_type = "vscode";
    project.volume_path = "/v";
    project.volume_name = "vol";
    write([&](Transaction& tx) { tx.projects().insert(project); });
    auto found = read([&](Transaction& tx) { return tx.projects().find(project.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "engine");
    EXPECT_EQ(found->description, "of analysis");
    EXPECT_EQ(found->user_id, kOwner);
    EXPECT_EQ(found->repository_url, project.repository_url);
    EXPECT_EQ(found->local_path, "/p");
    EXPECT_EQ(found->framework, "none");
    EXPECT_EQ(found->language, "c++");
    EXPECT_EQ(found->status, "active");
    EXPECT_EQ(found->agents, project.agents);
    EXPECT_EQ(found->workspace_id, kWorkspace);
    EXPECT_EQ(found->workspace_type, "vscode");
    EXPECT_EQ(found->volume_path, "/v");
    EXPECT_EQ(found->volume_name, "vol");
    EXPECT_EQ(found->created_at, at(5));
    write([&](Transaction& tx) {
        tx.projects().unassign_all(kWorkspace);
        found = tx.projects().find(project.id);
        EXPECT_EQ(found->workspace_id, std::nullopt);
        EXPECT_EQ(found->workspace_type, std::nullopt);
        tx.projects().remove(project.id);
        EXPECT_FALSE(tx.projects().find(project.id));
    });
    EXPECT_EQ(word_of([&] {
                  write([&](Transaction& tx) {
                      tx.projects().insert(project);
                      tx.projects().insert(project);
                  });
              }),
              "duplicate");
}

TEST_P(StoreSuite, ListsProjectsByOwnerAssignmentAndType) {
    write([](Transaction& tx) {
        auto projects = tx.projects();
        projects.insert(make_project(kOwner, "old", 1));
        projects.insert(make_project(kOwner, "new", 9));
        auto assigned = make_project(kOwner, "assigned", 5);
        assigned.workspace_id = kWorkspace;
        assigned.workspace_type = "vscode";
        projects.insert(assigned);
        auto sheet = make_project(kOwner, "sheet", 6);
        sheet.workspace_type = "spreadsheet";
        projects.insert(sheet);
        projects.insert(make_project(kOther, "foreign", 3));

        EXPECT_THAT(names(projects.of_user(kOwner).rows), ElementsAre("new", "sheet", "assigned", "old"));
        EXPECT_THAT(names(projects.unassigned(kOwner).rows), ElementsAre("new", "sheet", "old"));
        EXPECT_THAT(names(projects.of_workspace(kWorkspace)), ElementsAre("assigned"));
        EXPECT_THAT(names(projects.compatible(kOwner, "vscode")), ElementsAre("new", "assigned", "old"));
        EXPECT_THAT(names(projects.all()), ElementsAre("old", "foreign", "assigned", "sheet", "new"));
        EXPECT_EQ(projects.count_of_user(kOwner), 4);
    });
}

TEST_P(StoreSuite, KeepsEveryFieldOfAWorkspace) {
    auto workspace = make_workspace(kOwner, "desk", 2);
    write([&](Transaction& tx) { tx.workspaces().insert(workspace); });
    workspace.description = "my desk";
    workspace.current_project_id = model::ProjectId::generate();
    workspace.status = model::WorkspaceStatus::kRunning;
    workspace.container_name = "c";
    workspace.volume_name = "v";
    workspace.is_default = true;
    workspace.updated_at = at(3);
    workspace.desired_state = model::DesiredState::kRunning;
    workspace.phase = model::Phase::kSwitching;
    workspace.generation = 4;
    workspace.last_generation = 5;
    workspace.next_generation = 5;
    workspace.next_project_id = model::ProjectId::generate();
    workspace.last_error = "e";
    workspace.wake_on_request = true;
    workspace.limits = {.cpus = 1.5, .memory_mb = 100, .ulimits = {{"nofile", 9}}};
    write([&](Transaction& tx) { tx.workspaces().update(workspace); });
    const auto found = read([&](Transaction& tx) { return tx.workspaces().find(workspace.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "desk");
    EXPECT_EQ(found->description, "my desk");
    EXPECT_EQ(found->user_id, kOwner);
    EXPECT_EQ(found->type, "vscode");
    EXPECT_EQ(found->current_project_id, workspace.current_project_id);
    EXPECT_EQ(found->config, workspace.config);
    EXPECT_EQ(found->status, model::WorkspaceStatus::kRunning);
    EXPECT_EQ(found->container_name, "c");
    EXPECT_EQ(found->volume_name, "v");
    EXPECT_TRUE(found->is_default);
    EXPECT_EQ(found->created_at, at(2));
    EXPECT_EQ(found->updated_at, at(3));
    EXPECT_EQ(found->desired_state, model::DesiredState::kRunning);
    EXPECT_EQ(found->phase, model::Phase::kSwitching);
    EXPECT_EQ(found->generation, 4);
    EXPECT_EQ(found->last_generation, 5);
    EXPECT_EQ(found->next_generation, 5);
    EXPECT_EQ(found->next_project_id, workspace.next_project_id);
    EXPECT_EQ(found->last_error, "e");
    EXPECT_TRUE(found->wake_on_request);
    EXPECT_EQ(found->limits, workspace.limits);
    auto plain = *found;
    plain.limits = {};
    write([&](Transaction& tx) { tx.workspaces().update(plain); });
    EXPECT_TRUE(read([&](Transaction& tx) { return tx.workspaces().find(workspace.id); })->limits.empty());
    write([&](Transaction& tx) {
        const auto current = tx.workspaces().using_project(*workspace.current_project_id);
        EXPECT_THAT(names(current), ElementsAre("desk"));
        EXPECT_THAT(names(tx.workspaces().using_project(*workspace.next_project_id)), ElementsAre("desk"));
        EXPECT_THAT(tx.workspaces().using_project(model::ProjectId::generate()), IsEmpty());
        tx.workspaces().remove(workspace.id);
        EXPECT_FALSE(tx.workspaces().find(workspace.id));
    });
}

TEST_P(StoreSuite, ListsTheDefaultWorkspaceFirst) {
    write([](Transaction& tx) {
        auto workspaces = tx.workspaces();
        auto first = make_workspace(kOwner, "default", 1);
        first.is_default = true;
        workspaces.insert(first);
        workspaces.insert(make_workspace(kOwner, "middle", 2));
        auto notebook = make_workspace(kOwner, "newest", 3);
        notebook.type = "notebook";
        workspaces.insert(notebook);
        auto foreign = make_workspace(kOther, "foreign", 4);
        foreign.is_default = true;
        workspaces.insert(foreign);
        EXPECT_THAT(names(workspaces.of_user(kOwner).rows), ElementsAre("default", "newest", "middle"));
        EXPECT_THAT(names(workspaces.of_user_and_type(kOwner, "vscode")), ElementsAre("default", "middle"));
        workspaces.clear_default(kOwner);
        EXPECT_THAT(names(workspaces.of_user(kOwner).rows), ElementsAre("newest", "middle", "default"));
        EXPECT_TRUE(workspaces.find(foreign.id)->is_default);
        EXPECT_THAT(names(workspaces.all()), ElementsAre("default", "middle", "newest", "foreign"));
    });
}

TEST_P(StoreSuite, FindsTheWorkspacesThatMayNeedWork) {
    write([](Transaction& tx) {
        auto workspaces = tx.workspaces();
        const auto add = [&](std::int64_t order, auto change) {
            auto workspace = make_workspace(kOwner, std::to_string(order), order);
            change(workspace);
            workspaces.insert(workspace);
            return workspace.id;
        };
        add(1, [](model::Workspace&) {});
        const auto running = add(2, [](auto& w) { w.desired_state = model::DesiredState::kRunning; });
        const auto deleted = add(3, [](auto& w) { w.desired_state = model::DesiredState::kDeleted; });
        const auto next = add(4, [](auto& w) { w.next_generation = 2; });
        const auto stopping = add(5, [](auto& w) { w.phase = model::Phase::kStopping; });
        const auto busy = add(6, [](auto&) {});
        tx.operations().insert(make_operation(busy));
        const auto done = add(7, [](auto&) {});
        auto operation = make_operation(done);
        operation.state = model::OperationState::kSucceeded;
        tx.operations().insert(operation);
        EXPECT_THAT(workspaces.unsettled(), ElementsAre(running, deleted, next, stopping, busy));
    });
}

TEST_P(StoreSuite, PagesGiveEveryRowOnceUnderEqualTimes) {
    write([](Transaction& tx) {
        for (int i = 0; i < 25; ++i) {
            auto workspace = make_workspace(kOwner, std::to_string(i), i / 10);
            workspace.is_default = i == 12;
            tx.workspaces().insert(workspace);
        }
        Page page{.limit = 7};
        std::vector<std::string> seen;
        std::size_t pages = 0;
        do {
            const auto listing = tx.workspaces().of_user(kOwner, page);
            for (const auto& name : names(listing.rows))
                seen.push_back(name);
            page.cursor = listing.next;
            ++pages;
            // What arrives meanwhile does not disturb the rows that follow.
            tx.workspaces().insert(make_workspace(kOwner, "late", 1000 + static_cast<int>(pages)));
        } while (page.cursor && pages < 10);
        EXPECT_EQ(pages, 4U);
        std::vector<std::string> whole;
        for (const auto& name : names(tx.workspaces().of_user(kOwner).rows)) {
            if (name != "late") whole.push_back(name);
        }
        EXPECT_EQ(seen, whole);
        EXPECT_EQ(seen.front(), "12");
    });
}

TEST_P(StoreSuite, APageThatEndsWithTheListHasNoNext) {
    write([](Transaction& tx) {
        for (int i = 0; i < 3; ++i)
            tx.projects().insert(make_project(kOwner, std::to_string(i), i));
        EXPECT_FALSE(tx.projects().of_user(kOwner, {.limit = 3}).next);
        EXPECT_TRUE(tx.projects().of_user(kOwner, {.limit = 2}).next);
        EXPECT_THAT(tx.projects().of_user(kOwner, {.limit = 0}).rows, SizeIs(1));
        EXPECT_THAT(tx.projects().of_user(kOwner, {.limit = static_cast<std::size_t>(-1)}).rows, SizeIs(3));
    });
}

TEST_P(StoreSuite, RefusesForeignCursors) {
    const auto of_projects = write([](Transaction& tx) {
        tx.projects().insert(make_project(kOwner, "a", 1));
        tx.projects().insert(make_project(kOwner, "b", 2));
        return *tx.projects().of_user(kOwner, {.limit = 1}).next;
    });
    const std::string bad[] = {"",
                               "!",
                               "abc",
                               "bnVsbA",
                               "WzEsMiwzXQ",
                               "WyJ4IiwieSJd",
                               of_projects,
                               std::string(5000, 'W'),
                               of_projects + "A"};
    for (const auto& cursor : bad) {
        try {
            read([&](Transaction& tx) { return tx.workspaces().of_user(kOwner, {.cursor = cursor}); });
            FAIL() << cursor;
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::kInvalid);
            ASSERT_THAT(error.fields(), SizeIs(1));
            EXPECT_EQ(error.fields().front().field, "cursor");
        }
    }
}

}  // namespace
}  // namespace agentdb9::store
