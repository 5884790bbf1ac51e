#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"
#include "store/administration.hpp"

namespace agentdb9::store {
namespace {

using model::DesiredState;
using model::OperationKind;
using model::OperationState;
using model::UserSummary;
using model::WorkspaceStatus;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> emails(const Listing<UserSummary>& listing) {
    std::vector<std::string> all;
    for (const auto& each : listing.rows)
        all.push_back(each.user.email);
    return all;
}

TEST_P(StoreSuite, UsersAreListedWithWhatTheyHave) {
    auto ada = make_user("ada@example.org", 1);
    auto grace = make_user("grace@example.org", 2);
    ada.last_login_at = at(5);
    write([&](Transaction& tx) {
        tx.users().insert(ada);
        tx.users().insert(grace);
        for (const auto state : {DesiredState::kRunning, DesiredState::kStopped, DesiredState::kDeleted}) {
            auto workspace = make_workspace(ada.id, "w");
            workspace.desired_state = state;
            tx.workspaces().insert(workspace);
        }
        tx.projects().insert(make_project(ada.id, "p"));
        tx.quotas().set(ada.id, {.running = 3, .cpus = 1.5});
        tx.quotas().set_volume_use({{ada.id, 77}}, at(1));
        auto session = make_session(ada.id, "s", 100);
        session.last_used_at = at(9);
        tx.sessions().insert(session);
        tx.sessions().insert(make_session(ada.id, "older", 100));
        const auto token = make_token(grace.id, "t");
        tx.api_tokens().insert(token);
        tx.api_tokens().touch(token.id, at(4));
    });
    const auto found = read([](Transaction& tx) { return tx.administration().users({}); });
    ASSERT_THAT(emails(found), ElementsAre("grace@example.org", "ada@example.org"));
    const auto& row = found.rows[1];
    EXPECT_EQ(row.workspaces, 2) << "what is being deleted is not counted";
    EXPECT_EQ(row.running, 1);
    EXPECT_EQ(row.projects, 1);
    EXPECT_EQ(row.quota, (model::Quota{.running = 3, .cpus = 1.5}));
    EXPECT_EQ(row.volume_bytes, 77);
    EXPECT_EQ(row.last_seen_at, at(9));
    EXPECT_EQ(row.user.password_hash, "") << "nobody asks for that";
    const auto& other = found.rows[0];
    EXPECT_EQ(other.workspaces + other.running + other.projects, 0);
    EXPECT_TRUE(other.quota.empty());
    EXPECT_EQ(other.volume_bytes, std::nullopt);
    EXPECT_EQ(other.last_seen_at, at(4));
    EXPECT_EQ(read([&](Transaction& tx) { return tx.administration().user(ada.id); })->workspaces, 2);
    EXPECT_FALSE(read([](Transaction& tx) { return tx.administration().user(kOther); }));
}

TEST_P(StoreSuite, UsersAreFoundByPartsOfTheirNamesTakenLiterally) {
    auto ada = make_user("ada@example.org", 1);
    ada.last_name = "Love_lace";
    auto grace = make_user("grace@example.org", 2);
    grace.first_name = "Grace";
    grace.role = model::Role::kAdmin;
    auto gone = make_user("gone@example.org", 3);
    gone.is_active = false;
    write([&](Transaction& tx) {
        for (const auto& each : {ada, grace, gone})
            tx.users().insert(each);
    });
    const auto found = [&](model::UserFilter filter) {
        return emails(read([=](Transaction& tx) { return tx.administration().users(filter); }));
    };
    EXPECT_THAT(found({.text = "ADA@"}), ElementsAre("ada@example.org"));
    EXPECT_THAT(found({.text = "love_"}), ElementsAre("ada@example.org"));
    EXPECT_THAT(found({.text = "e_a"}), IsEmpty()) << "_ stands for itself";
    EXPECT_THAT(found({.text = "%"}), IsEmpty());
    EXPECT_THAT(found({.text = "'"}), IsEmpty());
    EXPECT_THAT(found({.text = grace.id.str()}), ElementsAre("grace@example.org"));
    EXPECT_THAT(found({.role = model::Role::kAdmin}), ElementsAre("grace@example.org"));
    EXPECT_THAT(found({.active = false}), ElementsAre("gone@example.org"));
    EXPECT_THAT(found({.text = "example", .active = true}),
                ElementsAre("grace@example.org", "ada@example.org"));
}

TEST_P(StoreSuite, UsersComeInPages) {
    write([](Transaction& tx) {
        for (int i = 0; i < 5; ++i)
            tx.users().insert(make_user("u" + std::to_string(i) + "@x", i / 2));
    });
    std::vector<std::string> all;
    Page page{.limit = 2, .cursor = {}};
    do {
        const auto found = read([=](Transaction& tx) { return tx.administration().users({}, page); });
        EXPECT_LE(found.rows.size(), 2U);
        for (const auto& each : emails(found))
            all.push_back(each);
        page.cursor = found.next;
    } while (page.cursor);
    EXPECT_THAT(all, UnorderedElementsAre("u0@x", "u1@x", "u2@x", "u3@x", "u4@x"));
}

TEST_P(StoreSuite, EverybodysWorkspacesAreFound) {
    const auto ada = make_user("ada@example.org", 1);
    auto first = make_workspace(ada.id, "first", 1);
    first.type = "notebook";
    auto second = make_workspace(kOther, "second", 2);
    second.type = "vscode";
    second.status = WorkspaceStatus::kRunning;
    second.last_error = "It broke.";
    write([&](Transaction& tx) {
        tx.users().insert(ada);
        tx.workspaces().insert(first);
        tx.workspaces().insert(second);
    });
    const auto names = [&](model::WorkspaceFilter filter) {
        std::vector<std::string> all;
        for (const auto& each :
             read([=](Transaction& tx) { return tx.administration().workspaces(filter); }).rows)
            all.push_back(each.workspace.name + " " + each.user_email.value_or("(nobody)"));
        return all;
    };
    EXPECT_THAT(names({}), ElementsAre("second (nobody)", "first ada@example.org"));
    EXPECT_THAT(names({.user = ada.id}), ElementsAre("first ada@example.org"));
    EXPECT_THAT(names({.type = "vscode"}), ElementsAre("second (nobody)"));
    EXPECT_THAT(names({.status = WorkspaceStatus::kRunning}), ElementsAre("second (nobody)"));
    EXPECT_THAT(names({.user = ada.id, .type = "vscode"}), IsEmpty());
    const auto row =
        read([](Transaction& tx) { return tx.administration().workspaces({}); }).rows[0].workspace;
    EXPECT_EQ(row.id, second.id);
    EXPECT_EQ(row.last_error, "It broke.");
    EXPECT_TRUE(row.config.empty()) << "nobody asks for that";
}

TEST_P(StoreSuite, AnEmptyInstallationHasNumbers) {
    const auto numbers = read([](Transaction& tx) { return tx.administration().numbers(at(0), 5); });
    EXPECT_EQ(numbers.users + numbers.active_users + numbers.admins + numbers.projects + numbers.trash, 0);
    EXPECT_EQ(numbers.volume_bytes, 0);
    EXPECT_THAT(numbers.workspaces, IsEmpty());
    EXPECT_THAT(numbers.ended, IsEmpty());
    EXPECT_THAT(numbers.failed, IsEmpty());
    EXPECT_THAT(numbers.leases, IsEmpty());
}

TEST_P(StoreSuite, TheInstallationIsCounted) {
    const auto ada = make_user("ada@example.org");
    auto admin = make_user("root@example.org");
    admin.role = model::Role::kAdmin;
    auto gone = make_user("gone@example.org");
    gone.role = model::Role::kAdmin;
    gone.is_active = false;
    std::vector<model::Workspace> workspaces;
    for (int i = 0; i < 4; ++i) {
        auto& each = workspaces.emplace_back(make_workspace(ada.id, "w" + std::to_string(i)));
        each.type = "notebook";
        each.desired_state = i == 3 ? DesiredState::kDeleted : DesiredState::kRunning;
    }
    workspaces[0].limits.cpus = 2.5;
    workspaces[1].volume_name = "home";
    auto project = make_project(ada.id, "p");
    project.volume_name = "volume";
    const auto operation = [&](int workspace, OperationState state, std::optional<int> finished) {
        auto row = make_operation(workspaces[static_cast<std::size_t>(workspace)].id, 1);
        row.state = state;
        if (finished) row.finished_at = at(*finished);
        if (state == OperationState::kFailed) row.error = "It broke.";
        return row;
    };
    write([&](Transaction& tx) {
        for (const auto& each : {ada, admin, gone})
            tx.users().insert(each);
        for (const auto& each : workspaces)
            tx.workspaces().insert(each);
        tx.projects().insert(project);
        tx.projects().insert(make_project(ada.id, "without a volume"));
        tx.tombstones().insert(make_tombstone(ada.id, "trashed", 1));
        auto purged = make_tombstone(ada.id, "purged", 1);
        tx.tombstones().insert(purged);
        purged.purged_at = at(3);
        tx.tombstones().update(purged);
        tx.quotas().set_volume_use({{ada.id, 70}, {admin.id, 7}}, at(1));
        tx.operations().insert(operation(0, OperationState::kSucceeded, 9));
        tx.operations().insert(operation(0, OperationState::kFailed, 30));
        tx.operations().insert(operation(1, OperationState::kFailed, 50));
        tx.operations().insert(operation(1, OperationState::kFailed, 40));
        tx.operations().insert(operation(2, OperationState::kSucceeded, 50));
        tx.operations().insert(operation(3, OperationState::kRunning, std::nullopt));
        auto orphan = make_operation(model::WorkspaceId::generate(), 1);
        orphan.state = OperationState::kFailed;
        orphan.finished_at = at(60);
        tx.operations().insert(orphan);
        tx.leases().take(workspaces[0].id, "one", std::chrono::minutes(5));
        tx.leases().take(workspaces[1].id, "one", std::chrono::minutes(5));
    });
    const auto numbers = read([](Transaction& tx) { return tx.administration().numbers(at(10), 3); });
    EXPECT_EQ(numbers.users, 3);
    EXPECT_EQ(numbers.active_users, 2);
    EXPECT_EQ(numbers.admins, 1);
    ASSERT_EQ(numbers.workspaces.size(), 2U);
    EXPECT_EQ(numbers.workspaces[0].desired_state, DesiredState::kDeleted);
    EXPECT_EQ(numbers.workspaces[1].count, 3);
    std::map<std::optional<double>, std::int64_t> by_cpus;
    for (const auto& each : numbers.running)
        by_cpus[each.limits.cpus] += each.count;
    EXPECT_EQ(by_cpus, (std::map<std::optional<double>, std::int64_t>{{std::nullopt, 2}, {2.5, 1}}));
    std::map<OperationState, std::int64_t> ended;
    for (const auto& each : numbers.ended)
        ended[each.state] += each.count;
    EXPECT_EQ(ended, (std::map<OperationState, std::int64_t>{{OperationState::kSucceeded, 1},
                                                             {OperationState::kFailed, 4}}))
        << "what ended before is not counted";
    ASSERT_EQ(numbers.open.size(), 1U);
    EXPECT_EQ(numbers.open[0].count, 1);
    ASSERT_EQ(numbers.failed.size(), 3U) << "the latest";
    EXPECT_EQ(numbers.failed[0].operation.finished_at, at(60));
    EXPECT_FALSE(numbers.failed[0].workspace_name);
    EXPECT_FALSE(numbers.failed[0].user_email);
    EXPECT_EQ(numbers.failed[1].operation.finished_at, at(50));
    EXPECT_EQ(numbers.failed[1].operation.error, "It broke.");
    EXPECT_EQ(numbers.failed[1].workspace_name, "w1");
    EXPECT_EQ(numbers.failed[1].user_email, "ada@example.org");
    EXPECT_EQ(numbers.projects, 2);
    EXPECT_EQ(numbers.project_volumes, 1);
    EXPECT_EQ(numbers.homes, 1);
    EXPECT_EQ(numbers.trash, 1);
    EXPECT_EQ(numbers.volume_bytes, 77);
    EXPECT_EQ(numbers.leases, (std::map<std::string, std::int64_t>{{"one", 2}}));
}

}  // namespace
}  // namespace agentdb9::store
