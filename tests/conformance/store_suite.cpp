#include "conformance/store_suite.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/error.hpp"

namespace agentdb9::store {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

model::Time at(std::int64_t ms) {
    return base::from_unix_ms(1'700'000'000'000 + ms);
}

model::User make_user(const std::string& email, std::int64_t created_ms) {
    return {.id = model::UserId::generate(),
            .email = email,
            .username = "ada",
            .password_hash = "$argon2id$x",
            .first_name = "Ada",
            .preferences = {{"theme", "dark"}},
            .created_at = at(created_ms),
            .updated_at = at(created_ms)};
}

model::Project make_project(const model::UserId& owner, const std::string& name, std::int64_t created_ms) {
    return {.id = model::ProjectId::generate(),
            .name = name,
            .user_id = owner,
            .language = "c++",
            .agents = {"one", "two"},
            .created_at = at(created_ms),
            .updated_at = at(created_ms)};
}

model::Workspace make_workspace(const model::UserId& owner, const std::string& name,
                                std::int64_t created_ms) {
    return {.id = model::WorkspaceId::generate(),
            .name = name,
            .user_id = owner,
            .type = "vscode",
            .config = {{"defaultPort", 8080}},
            .created_at = at(created_ms),
            .updated_at = at(created_ms)};
}

model::Operation make_operation(const model::WorkspaceId& workspace, std::int64_t created_ms) {
    return {.id = model::OperationId::generate(), .workspace_id = workspace, .created_at = at(created_ms)};
}

model::Session make_session(const model::UserId& user, const std::string& hash, std::int64_t expires_ms) {
    return {.id = model::SessionId::generate(),
            .user_id = user,
            .refresh_hash = hash,
            .address = "127.0.0.1",
            .user_agent = "curl",
            .created_at = at(0),
            .last_used_at = at(0),
            .expires_at = at(expires_ms)};
}

model::ApiToken make_token(const model::UserId& user, const std::string& hash, std::int64_t created_ms) {
    return {.id = model::ApiTokenId::generate(),
            .user_id = user,
            .name = "ci",
            .token_hash = hash,
            .hint = "adb9_abc",
            .created_at = at(created_ms)};
}

model::Tombstone make_tombstone(const model::UserId& user, const std::string& volume,
                                std::int64_t deleted_ms) {
    return {.id = model::TombstoneId::generate(),
            .volume_name = volume,
            .user_id = user,
            .owner_id = "owner",
            .owner_name = "A project",
            .snapshot = {{"name", "A project"}},
            .deleted_at = at(deleted_ms),
            .purge_after = at(deleted_ms + 1000)};
}

std::string word_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const base::Error& error) {
        return error.word();
    }
    return "";
}

namespace {

template <class Entity>
std::vector<std::string> names(const std::vector<Entity>& rows) {
    std::vector<std::string> result;
    for (const auto& row : rows)
        result.push_back(row.name);
    return result;
}

const model::UserId kOwner = *model::UserId::parse("11111111-1111-4111-8111-111111111111");
const model::UserId kOther = *model::UserId::parse("22222222-2222-4222-8222-222222222222");
const model::WorkspaceId kWorkspace = *model::WorkspaceId::parse("33333333-3333-4333-8333-333333333333");

TEST_P(StoreSuite, AppliesMigrationsOnce) {
    auto store = fixture().open();
    const auto pending = store->pending_migrations();
    EXPECT_THAT(pending, testing::Contains("0001_accounts"));
    EXPECT_EQ(store->migrate(), pending);
    EXPECT_THAT(store->pending_migrations(), IsEmpty());
    EXPECT_THAT(store->migrate(), IsEmpty());
    store.reset();
    store = fixture().open();
    EXPECT_THAT(store->migrate(), IsEmpty());
}

TEST_P(StoreSuite, RefusesADatabaseOfANewerProgram) {
    fixture().open()->migrate();
    fixture().run_script(
        R"(INSERT INTO "agentdb9_migrations" VALUES (9999, '9999_future', CURRENT_TIMESTAMP))");
    auto store = fixture().open();
    try {
        store->migrate();
        FAIL() << "migrated";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::kConflict);
        EXPECT_EQ(error.word(), "database_newer");
        EXPECT_THAT(error.message(), testing::HasSubstr("9999_future"));
    }
    EXPECT_EQ(word_of([&] { store->pending_migrations(); }), "database_newer");
}

TEST_P(StoreSuite, KeepsEveryFieldOfAUser) {
    auto user = make_user("Ada@Example.org", 1);
    user.role = model::Role::kAdmin;
    user.last_name = "Lovelace";
    write([&](Transaction& tx) { tx.users().insert(user); });
    auto found = read([&](Transaction& tx) { return tx.users().find(user.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->email, "ada@example.org");
    EXPECT_EQ(found->username, "ada");
    EXPECT_EQ(found->password_hash, "$argon2id$x");
    EXPECT_EQ(found->first_name, "Ada");
    EXPECT_EQ(found->last_name, "Lovelace");
    EXPECT_TRUE(found->is_active);
    EXPECT_EQ(found->role, model::Role::kAdmin);
    EXPECT_EQ(found->preferences, user.preferences);
    EXPECT_EQ(found->last_login_at, std::nullopt);
    EXPECT_EQ(found->created_at, at(1));

    found->is_active = false;
    found->role = model::Role::kUser;
    found->first_name.reset();
    found->last_login_at = at(7);
    found->updated_at = at(8);
    found->created_at = at(9);
    write([&](Transaction& tx) { tx.users().update(*found); });
    found = read([&](Transaction& tx) { return tx.users().find_by_email("ADA@example.ORG"); });
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->is_active);
    EXPECT_EQ(found->role, model::Role::kUser);
    EXPECT_EQ(found->first_name, std::nullopt);
    EXPECT_EQ(found->last_login_at, at(7));
    EXPECT_EQ(found->updated_at, at(8));
    EXPECT_EQ(found->created_at, at(1)) << "createdAt is written once";
}

TEST_P(StoreSuite, RefusesAnEmailThatIsTakenInOtherCase) {
    auto second = make_user("second@example.org");
    write([&](Transaction& tx) {
        tx.users().insert(make_user("ada@example.org"));
        tx.users().insert(second);
    });
    const auto insert = [&] {
        write([](Transaction& tx) { tx.users().insert(make_user("ADA@example.org")); });
    };
    EXPECT_EQ(word_of(insert), "email_taken");
    second.email = "Ada@example.org";
    const auto update = [&] { write([&](Transaction& tx) { tx.users().update(second); }); };
    EXPECT_EQ(word_of(update), "email_taken");
}

TEST_P(StoreSuite, CountsUsersAndActiveAdmins) {
    write([](Transaction& tx) {
        auto admin = make_user("a@x", 3);
        admin.role = model::Role::kAdmin;
        tx.users().insert(admin);
        auto gone = make_user("b@x", 1);
        gone.role = model::Role::kAdmin;
        gone.is_active = false;
        tx.users().insert(gone);
        tx.users().insert(make_user("c@x", 2));
        EXPECT_EQ(tx.users().count(), 3);
        EXPECT_EQ(tx.users().count_admins(), 1);
        const auto all = tx.users().all();
        ASSERT_THAT(all, SizeIs(3));
        EXPECT_EQ(all[0].email, "b@x");
        EXPECT_EQ(all[2].email, "a@x");
    });
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

TEST_P(StoreSuite, KeepsEveryFieldOfAnOperation) {
    auto operation = make_operation(kWorkspace, 1);
    write([&](Transaction& tx) { tx.operations().insert(operation); });
    operation.kind = model::OperationKind::kSwitch;
    operation.state = model::OperationState::kFailed;
    operation.phase = "pulling";
    operation.progress = 42;
    operation.error_code = "image_missing";
    operation.error = "No such image.";
    operation.requested_by = kOwner;
    operation.project_id = model::ProjectId::generate();
    operation.force = true;
    operation.started_at = at(2);
    operation.finished_at = at(3);
    write([&](Transaction& tx) { tx.operations().update(operation); });
    const auto found = read([&](Transaction& tx) { return tx.operations().find(operation.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->workspace_id, kWorkspace);
    EXPECT_EQ(found->kind, model::OperationKind::kSwitch);
    EXPECT_EQ(found->state, model::OperationState::kFailed);
    EXPECT_EQ(found->phase, "pulling");
    EXPECT_EQ(found->progress, 42);
    EXPECT_EQ(found->error_code, "image_missing");
    EXPECT_EQ(found->error, "No such image.");
    EXPECT_EQ(found->requested_by, kOwner);
    EXPECT_EQ(found->project_id, operation.project_id);
    EXPECT_TRUE(found->force);
    EXPECT_EQ(found->created_at, at(1));
    EXPECT_EQ(found->started_at, at(2));
    EXPECT_EQ(found->finished_at, at(3));
}

TEST_P(StoreSuite, AWorkspaceHasAtMostOneOpenOperation) {
    auto first = make_operation(kWorkspace, 1);
    write([&](Transaction& tx) { tx.operations().insert(first); });
    const auto second = make_operation(kWorkspace, 1);
    const auto insert = [&] { write([&](Transaction& tx) { tx.operations().insert(second); }); };
    EXPECT_EQ(word_of(insert), "operation_in_progress");
    write([&](Transaction& tx) {
        EXPECT_EQ(tx.operations().open_of(kWorkspace)->id, first.id);
        first.state = model::OperationState::kSuperseded;
        tx.operations().update(first);
        EXPECT_FALSE(tx.operations().open_of(kWorkspace));
        tx.operations().insert(second);
        EXPECT_EQ(tx.operations().open_of(kWorkspace)->id, second.id);
        tx.operations().insert(make_operation(model::WorkspaceId::generate()));
    });
}

TEST_P(StoreSuite, OrdersOperationsAsTheyWereInserted) {
    write([](Transaction& tx) {
        std::vector<model::OperationId> inserted;
        for (int i = 0; i < 12; ++i) {
            // The clock stands still, or even goes back.
            auto operation = make_operation(kWorkspace, i < 6 ? 5 : 4);
            operation.state = model::OperationState::kSucceeded;
            tx.operations().insert(operation);
            inserted.insert(inserted.begin(), operation.id);
        }
        EXPECT_EQ(tx.operations().latest_of(kWorkspace)->id, inserted.front());
        Page page{.limit = 5};
        std::vector<model::OperationId> seen;
        do {
            const auto listing = tx.operations().of_workspace(kWorkspace, page);
            for (const auto& row : listing.rows)
                seen.push_back(row.id);
            page.cursor = listing.next;
        } while (page.cursor && seen.size() < 50);
        EXPECT_EQ(seen, inserted);
        EXPECT_FALSE(tx.operations().latest_of(model::WorkspaceId::generate()));
    });
}

TEST_P(StoreSuite, PrunesOldOperationsButTheLatestOfALiveWorkspace) {
    write([](Transaction& tx) {
        const auto workspace = make_workspace(kOwner, "w");
        tx.workspaces().insert(workspace);
        const auto add = [&](const model::WorkspaceId& of, std::optional<std::int64_t> finished) {
            auto operation = make_operation(of);
            if (finished) {
                operation.state = model::OperationState::kSucceeded;
                operation.finished_at = at(*finished);
            }
            tx.operations().insert(operation);
            return operation.id;
        };
        const auto old = add(workspace.id, 1);
        const auto recent = add(workspace.id, 100);
        const auto latest = add(workspace.id, 2);
        const auto gone = add(model::WorkspaceId::generate(), 3);
        const auto open = add(model::WorkspaceId::generate(), std::nullopt);
        EXPECT_EQ(tx.operations().prune(at(50)), 2);
        EXPECT_FALSE(tx.operations().find(old));
        EXPECT_FALSE(tx.operations().find(gone));
        EXPECT_TRUE(tx.operations().find(recent));
        EXPECT_TRUE(tx.operations().find(latest));
        EXPECT_TRUE(tx.operations().find(open));
        EXPECT_EQ(tx.operations().prune(at(50)), 0);
    });
}

TEST_P(StoreSuite, FindsASessionByItsCurrentOrPreviousRefreshToken) {
    auto session = make_session(kOwner, "h1", 100);
    write([&](Transaction& tx) {
        tx.sessions().insert(session);
        session.previous_refresh_hash = "h1";
        session.refresh_hash = "h2";
        session.last_used_at = at(5);
        tx.sessions().update(session);
    });
    read([&](Transaction& tx) {
        EXPECT_EQ(tx.sessions().find_by_refresh_hash("h1")->id, session.id);
        EXPECT_EQ(tx.sessions().find_by_refresh_hash("h2")->id, session.id);
        EXPECT_FALSE(tx.sessions().find_by_refresh_hash("h3"));
        const auto found = tx.sessions().find(session.id);
        EXPECT_EQ(found->user_id, kOwner);
        EXPECT_EQ(found->address, "127.0.0.1");
        EXPECT_EQ(found->user_agent, "curl");
        EXPECT_EQ(found->last_used_at, at(5));
        EXPECT_EQ(found->expires_at, at(100));
        EXPECT_FALSE(found->revoked_at);
    });
    const auto again = [&] {
        write([&](Transaction& tx) { tx.sessions().insert(make_session(kOther, "h2", 1)); });
    };
    EXPECT_EQ(word_of(again), "duplicate");
}

TEST_P(StoreSuite, RevokesAndPrunesSessions) {
    write([](Transaction& tx) {
        const auto kept = make_session(kOwner, "a", 100);
        auto ended = make_session(kOwner, "b", 100);
        ended.revoked_at = at(1);
        const auto revoked = make_session(kOwner, "c", 10);
        const auto foreign = make_session(kOther, "d", 10);
        for (const auto& session : {kept, ended, revoked, foreign})
            tx.sessions().insert(session);
        tx.sessions().revoke_all(kOwner, at(2), kept.id);
        EXPECT_FALSE(tx.sessions().find(kept.id)->revoked_at);
        EXPECT_EQ(tx.sessions().find(ended.id)->revoked_at, at(1));
        EXPECT_EQ(tx.sessions().find(revoked.id)->revoked_at, at(2));
        EXPECT_FALSE(tx.sessions().find(foreign.id)->revoked_at);
        EXPECT_THAT(tx.sessions().of_user(kOwner), SizeIs(3));
        tx.sessions().revoke_all(kOwner, at(3), std::nullopt);
        EXPECT_EQ(tx.sessions().find(kept.id)->revoked_at, at(3));
        EXPECT_EQ(tx.sessions().prune(at(50)), 2);
        EXPECT_THAT(tx.sessions().of_user(kOther), IsEmpty());
    });
}

TEST_P(StoreSuite, KeepsApiTokensUntilTheyAreRevoked) {
    write([](Transaction& tx) {
        auto token = make_token(kOwner, "h", 1);
        token.expires_at = at(50);
        tx.api_tokens().insert(token);
        const auto newer = make_token(kOwner, "h2", 2);
        tx.api_tokens().insert(newer);
        tx.api_tokens().touch(token.id, at(9));
        const auto found = tx.api_tokens().find_by_hash("h");
        ASSERT_TRUE(found);
        EXPECT_EQ(found->id, token.id);
        EXPECT_EQ(found->user_id, kOwner);
        EXPECT_EQ(found->name, "ci");
        EXPECT_EQ(found->hint, "adb9_abc");
        EXPECT_EQ(found->created_at, at(1));
        EXPECT_EQ(found->expires_at, at(50));
        EXPECT_EQ(found->last_used_at, at(9));
        ASSERT_THAT(tx.api_tokens().of_user(kOwner), SizeIs(2));
        EXPECT_EQ(tx.api_tokens().of_user(kOwner).front().id, newer.id);
        tx.api_tokens().revoke(newer.id, at(3));
        tx.api_tokens().revoke(newer.id, at(4));
        EXPECT_EQ(tx.api_tokens().find(newer.id)->revoked_at, at(3));
        EXPECT_THAT(tx.api_tokens().of_user(kOwner), SizeIs(1));
        EXPECT_FALSE(tx.api_tokens().find_by_hash("none"));
    });
}

TEST_P(StoreSuite, ATicketIsTakenOnceHoweverManyTry) {
    const model::ProxyTicket ticket{.ticket_hash = "t",
                                    .user_id = kOwner,
                                    .workspace_id = kWorkspace,
                                    .port = 8080,
                                    .expires_at = at(10)};
    for (int round = 0; round < 20; ++round) {
        write([&](Transaction& tx) { tx.proxy_tickets().insert(ticket); });
        std::atomic<int> taken = 0;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                store().transact(Mode::kWrite, [&](Transaction& tx) {
                    if (const auto found = tx.proxy_tickets().take("t")) {
                        EXPECT_EQ(found->user_id, kOwner);
                        EXPECT_EQ(found->workspace_id, kWorkspace);
                        EXPECT_EQ(found->port, 8080);
                        EXPECT_EQ(found->expires_at, at(10));
                        EXPECT_FALSE(found->session_id);
                        ++taken;
                    }
                });
            });
        }
        threads.clear();
        EXPECT_EQ(taken, 1);
    }
}

TEST_P(StoreSuite, TicketsGoWithTheirTimeAndTheirSession) {
    write([](Transaction& tx) {
        const auto session = make_session(kOwner, "s", 5);
        tx.sessions().insert(session);
        model::ProxyTicket ticket{.ticket_hash = "a",
                                  .user_id = kOwner,
                                  .session_id = session.id,
                                  .workspace_id = kWorkspace,
                                  .expires_at = at(100)};
        tx.proxy_tickets().insert(ticket);
        ticket.ticket_hash = "b";
        ticket.session_id.reset();
        ticket.expires_at = at(1);
        tx.proxy_tickets().insert(ticket);
        EXPECT_EQ(tx.proxy_tickets().prune(at(50)), 1);
        EXPECT_FALSE(tx.proxy_tickets().take("b"));
        tx.sessions().prune(at(50));
        EXPECT_FALSE(tx.proxy_tickets().take("a"));
    });
}

TEST_P(StoreSuite, KeepsTombstonesUntilRestoredOrPurged) {
    write([](Transaction& tx) {
        auto first = make_tombstone(kOwner, "v1", 1);
        first.kind = model::VolumeKind::kHome;
        auto second = make_tombstone(kOther, "v2", 2);
        tx.tombstones().insert(first);
        tx.tombstones().insert(second);
        ASSERT_THAT(tx.tombstones().open(std::nullopt), SizeIs(2));
        EXPECT_EQ(tx.tombstones().open(std::nullopt).front().id, second.id);
        ASSERT_THAT(tx.tombstones().open(kOwner), SizeIs(1));
        const auto found = tx.tombstones().find_open_by_volume("v1");
        ASSERT_TRUE(found);
        EXPECT_EQ(found->kind, model::VolumeKind::kHome);
        EXPECT_EQ(found->owner_id, "owner");
        EXPECT_EQ(found->owner_name, "A project");
        EXPECT_EQ(found->snapshot, first.snapshot);
        EXPECT_EQ(found->deleted_at, at(1));
        EXPECT_EQ(found->purge_after, at(1001));
        first.restored_at = at(9);
        second.purged_at = at(9);
        tx.tombstones().update(first);
        tx.tombstones().update(second);
        EXPECT_THAT(tx.tombstones().open(std::nullopt), IsEmpty());
        EXPECT_FALSE(tx.tombstones().find_open_by_volume("v1"));
        EXPECT_EQ(tx.tombstones().find(first.id)->restored_at, at(9));
        EXPECT_EQ(tx.tombstones().find(second.id)->purged_at, at(9));
        tx.tombstones().insert(make_tombstone(kOwner, "v1", 10));
    });
    const auto again = [&] {
        write([](Transaction& tx) { tx.tombstones().insert(make_tombstone(kOwner, "v1", 11)); });
    };
    EXPECT_EQ(word_of(again), "duplicate");
}

TEST_P(StoreSuite, SettingsAreOverwritten) {
    write([](Transaction& tx) {
        EXPECT_FALSE(tx.settings().get("a"));
        tx.settings().set("a", "1");
        tx.settings().set("a", "2");
        EXPECT_EQ(tx.settings().get("a"), "2");
        tx.settings().remove("a");
        tx.settings().remove("a");
        EXPECT_FALSE(tx.settings().get("a"));
    });
}

TEST_P(StoreSuite, WhatThrowsLeavesNothingBehind) {
    EXPECT_THROW(write([](Transaction& tx) {
                     tx.settings().set("a", "1");
                     throw std::runtime_error("no");
                 }),
                 std::runtime_error);
    EXPECT_EQ(word_of([&] {
                  write([](Transaction& tx) {
                      tx.settings().set("b", "1");
                      const auto project = make_project(kOwner, "p");
                      tx.projects().insert(project);
                      tx.projects().insert(project);
                  });
              }),
              "duplicate");
    read([](Transaction& tx) {
        EXPECT_FALSE(tx.settings().get("a"));
        EXPECT_FALSE(tx.settings().get("b"));
        EXPECT_THAT(tx.projects().all(), IsEmpty());
    });
}

TEST_P(StoreSuite, AReadMayNotChangeAnything) {
    EXPECT_NE(word_of([&] { read([](Transaction& tx) { tx.settings().set("a", "1"); }); }), "");
    EXPECT_FALSE(read([](Transaction& tx) { return tx.settings().get("a"); }));
}

TEST_P(StoreSuite, AReadSeesOneState) {
    write([](Transaction& tx) { tx.settings().set("a", "1"); });
    read([this](Transaction& tx) {
        EXPECT_EQ(tx.settings().get("a"), "1");
        std::jthread([this] {
            store().transact(Mode::kWrite, [](Transaction& other) { other.settings().set("a", "2"); });
        }).join();
        EXPECT_EQ(tx.settings().get("a"), "1");
    });
    EXPECT_EQ(read([](Transaction& tx) { return tx.settings().get("a"); }), "2");
}

TEST_P(StoreSuite, StaysAfterReopening) {
    write([](Transaction& tx) { tx.settings().set("a", "1"); });
    close();
    EXPECT_EQ(read([](Transaction& tx) { return tx.settings().get("a"); }), "1");
}

TEST_P(StoreSuite, ReadsBrokenRowsAsTheNearestSensibleOnes) {
    fixture().open()->migrate();
    const std::string huge(10'000, 'n');
    fixture().run_script(
        R"(INSERT INTO "users" ("id", "email", "username", "password", "role", "preferences", "createdAt", "updatedAt")
           VALUES ('11111111-1111-4111-8111-111111111111', 'Ada@X', '{"a":1}', '', 'emperor', 'not json',
                   '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05');
           INSERT INTO "users" ("id", "email", "username", "password", "createdAt", "updatedAt")
           VALUES ('22222222-2222-4222-8222-222222222222', 'ada@X', 'twin', '',
                   '2024-01-02 03:04:06', '2024-01-02 03:04:05');
           INSERT INTO "workspaces" ("id", "name", "userId", "type", "currentProjectId", "config", "status",
                                     "createdAt", "updatedAt")
           VALUES ('33333333-3333-4333-8333-333333333333', ')" +
        huge + R"(', 'undefined', '', 'nobody', '[object Object]', 'exploded',
                   '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05.678901');
           INSERT INTO "projects" ("id", "name", "userId", "language", "status", "agents", "workspaceId",
                                   "createdAt", "updatedAt")
           VALUES ('44444444-4444-4444-8444-444444444444', '', '11111111-1111-4111-8111-111111111111', '', '?',
                   '{', 'gone', '2024-01-02 03:04:05.678901', '2024-01-02 03:04:05');)");
    write([&](Transaction& tx) {
        auto user = tx.users().find(kOwner);
        ASSERT_TRUE(user);
        EXPECT_EQ(user->username, R"({"a":1})");
        EXPECT_EQ(user->role, model::Role::kUser);
        EXPECT_THAT(user->preferences, IsEmpty());
        EXPECT_EQ(base::format_time(user->created_at), "2024-01-02T03:04:05.678Z");
        // Two that differ in their capitals only: each is found by its own spelling, and may still be
        // changed.
        EXPECT_EQ(tx.users().find_by_email("Ada@X")->id, kOwner);
        EXPECT_EQ(tx.users().find_by_email("ada@X")->id, kOther);
        user->last_login_at = at(1);
        tx.users().update(*user);
        EXPECT_EQ(tx.users().find(kOwner)->last_login_at, at(1));

        const auto workspaces = tx.workspaces().all();
        ASSERT_THAT(workspaces, SizeIs(1));
        EXPECT_EQ(workspaces[0].name, huge);
        EXPECT_EQ(workspaces[0].status, model::WorkspaceStatus::kActive);
        EXPECT_EQ(workspaces[0].current_project_id, std::nullopt);
        EXPECT_THAT(workspaces[0].config, IsEmpty());
        EXPECT_EQ(workspaces[0].desired_state, model::DesiredState::kStopped);

        const auto projects = tx.projects().of_user(kOwner).rows;
        ASSERT_THAT(projects, SizeIs(1));
        EXPECT_EQ(projects[0].name, "");
        EXPECT_EQ(projects[0].workspace_id, std::nullopt);
        EXPECT_THAT(projects[0].agents, IsEmpty());
    });
}

TEST_P(StoreSuite, FourWritersAtOnceLoseNothing) {
    write([](Transaction& tx) { tx.settings().set("n", "0"); });
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this] {
            for (int round = 0; round < 25; ++round) {
                store().transact(Mode::kWrite, [](Transaction& tx) {
                    tx.settings().set("n", std::to_string(std::stoi(*tx.settings().get("n")) + 1));
                });
                store().transact(Mode::kRead, [](Transaction& tx) { EXPECT_TRUE(tx.settings().get("n")); });
            }
        });
    }
    threads.clear();
    EXPECT_EQ(read([](Transaction& tx) { return tx.settings().get("n"); }), "100");
}

TEST_P(StoreSuite, RunsOnItsOwnThreadsAndResumesOnTheCallers) {
    asio::io_context loop;
    std::string value;
    std::string thrown;
    store();
    const auto work = [&]() -> Task<> {
        co_await store().write([](Transaction& tx) { tx.settings().set("a", "1"); });
        value = (co_await store().read([](Transaction& tx) { return tx.settings().get("a"); })).value_or("");
        EXPECT_TRUE(loop.get_executor().running_in_this_thread());
        try {
            co_await store().write([](Transaction&) { throw base::conflict("mine", "Mine."); });
        } catch (const base::Error& error) {
            thrown = error.word();
        }
    };
    asio::co_spawn(loop, work(), [](std::exception_ptr error) { EXPECT_FALSE(error); });
    loop.run();
    EXPECT_EQ(value, "1");
    EXPECT_EQ(thrown, "mine");
}

}  // namespace
}  // namespace agentdb9::store
