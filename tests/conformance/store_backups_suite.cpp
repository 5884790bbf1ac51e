#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace agentdb9::store {
namespace {

using model::BackupState;
using model::OperationState;
using model::ProjectOperationKind;
using testing::IsEmpty;
using testing::SizeIs;

const model::ProjectId kProject = *model::ProjectId::parse("44444444-4444-4444-8444-444444444444");

model::ProjectOperation make_work(const model::ProjectId& project, const std::string& server = "one",
                                  std::int64_t created_ms = 0) {
    return {.id = model::OperationId::generate(),
            .project_id = project,
            .user_id = kOwner,
            .server = server,
            .created_at = at(created_ms)};
}

model::Backup make_backup(const model::ProjectId& project, std::int64_t created_ms,
                          BackupState state = BackupState::kComplete) {
    return {.id = model::BackupId::generate(),
            .project_id = project,
            .user_id = kOwner,
            .project_name = "A project",
            .state = state,
            .file = "a/b.tar.zst",
            .created_at = at(created_ms)};
}

std::vector<model::BackupId> ids(const std::vector<model::Backup>& rows) {
    std::vector<model::BackupId> found;
    for (const auto& row : rows)
        found.push_back(row.id);
    return found;
}

TEST_P(StoreSuite, KeepsEveryFieldOfAProjectsOperation) {
    auto work = make_work(kProject, "one", 1);
    work.kind = ProjectOperationKind::kRestore;
    work.requested_by = kOwner;
    work.backup_id = model::BackupId::generate();
    work.new_project_id = model::ProjectId::generate();
    write([&](Transaction& tx) { tx.project_operations().insert(work); });
    work.state = OperationState::kFailed;
    work.phase = "copying";
    work.progress = 42;
    work.error_code = "archive_invalid";
    work.error = "It is cut off.";
    work.volume_name = "v-r1";
    work.started_at = at(2);
    work.finished_at = at(3);
    write([&](Transaction& tx) { tx.project_operations().update(work); });
    const auto found = read([&](Transaction& tx) { return tx.project_operations().find(work.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->project_id, kProject);
    EXPECT_EQ(found->user_id, kOwner);
    EXPECT_EQ(found->kind, ProjectOperationKind::kRestore);
    EXPECT_EQ(found->state, OperationState::kFailed);
    EXPECT_EQ(found->phase, "copying");
    EXPECT_EQ(found->progress, 42);
    EXPECT_EQ(found->error_code, "archive_invalid");
    EXPECT_EQ(found->error, "It is cut off.");
    EXPECT_EQ(found->requested_by, kOwner);
    EXPECT_EQ(found->backup_id, work.backup_id);
    EXPECT_EQ(found->new_project_id, work.new_project_id);
    EXPECT_EQ(found->volume_name, "v-r1");
    EXPECT_EQ(found->server, "one");
    EXPECT_FALSE(found->frozen_until);
    EXPECT_EQ(found->created_at, at(1));
    EXPECT_EQ(found->started_at, at(2));
    EXPECT_EQ(found->finished_at, at(3));
}

TEST_P(StoreSuite, AProjectHasOneOpenOperationButAnyNumberThatMakeNewProjects) {
    auto first = make_work(kProject);
    write([&](Transaction& tx) { tx.project_operations().insert(first); });
    const auto insert = [&] {
        write([](Transaction& tx) { tx.project_operations().insert(make_work(kProject)); });
    };
    EXPECT_EQ(word_of(insert), "project_busy");
    write([&](Transaction& tx) {
        for (int i = 0; i < 2; ++i) {
            auto clone = make_work(kProject);
            clone.new_project_id = model::ProjectId::generate();
            tx.project_operations().insert(clone);
        }
        tx.project_operations().insert(make_work(model::ProjectId::generate()));
        EXPECT_THAT(tx.project_operations().open(), SizeIs(4));
        first.state = OperationState::kSucceeded;
        tx.project_operations().update(first);
        EXPECT_THAT(tx.project_operations().open(), SizeIs(3));
    });
    EXPECT_EQ(word_of(insert), "");
}

TEST_P(StoreSuite, ListsAProjectsOperationsNewestFirstAndOnlyToTheirUser) {
    write([](Transaction& tx) {
        std::vector<model::OperationId> inserted;
        for (int i = 0; i < 7; ++i) {
            auto work = make_work(kProject);
            work.state = OperationState::kSucceeded;
            tx.project_operations().insert(work);
            inserted.insert(inserted.begin(), work.id);
        }
        Page page{.limit = 3};
        std::vector<model::OperationId> seen;
        do {
            const auto listing = tx.project_operations().of_project(kOwner, kProject, page);
            for (const auto& row : listing.rows)
                seen.push_back(row.id);
            page.cursor = listing.next;
        } while (page.cursor && seen.size() < 50);
        EXPECT_EQ(seen, inserted);
        EXPECT_THAT(tx.project_operations().of_project(kOther, kProject).rows, IsEmpty());
    });
}

TEST_P(StoreSuite, WhatASilentServerHadBegunIsAbandoned) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    auto ended = make_work(model::ProjectId::generate(), "dead");
    ended.state = OperationState::kFailed;
    const auto theirs = make_work(kProject, "dead");
    write([&](Transaction& tx) {
        tx.project_operations().insert(ended);
        tx.project_operations().insert(theirs);
        tx.project_operations().insert(make_work(model::ProjectId::generate(), "me"));
    });
    read([&](Transaction& tx) {
        auto works = tx.project_operations();
        EXPECT_THAT(works.abandoned("me", hours(1)), IsEmpty());  // it has just been written
        const auto found = works.abandoned("me", std::nullopt);
        ASSERT_THAT(found, SizeIs(1));
        EXPECT_EQ(found.front().id, theirs.id);
        // A second in the future it will have been silent since now.
        EXPECT_THAT(works.abandoned("me", milliseconds(-1000)), SizeIs(1));
    });
    const auto before = read([&](Transaction& tx) { return tx.project_operations().find(theirs.id); });
    write([](Transaction& tx) { tx.project_operations().renew("dead"); });
    const auto after = read([&](Transaction& tx) { return tx.project_operations().find(theirs.id); });
    EXPECT_GE(after->renewed_at, before->renewed_at);
    EXPECT_EQ(read([&](Transaction& tx) { return tx.project_operations().find(ended.id); })->state,
              OperationState::kFailed);
}

TEST_P(StoreSuite, AProjectIsFrozenForAWhileByAnOpenOperationOnly) {
    auto work = make_work(kProject);
    write([&](Transaction& tx) {
        auto works = tx.project_operations();
        works.insert(work);
        EXPECT_FALSE(works.is_frozen(kProject));
        works.freeze(work.id, std::chrono::hours(1));
        EXPECT_TRUE(works.is_frozen(kProject));
        EXPECT_FALSE(works.is_frozen(model::ProjectId::generate()));
        works.freeze(work.id, std::chrono::milliseconds(0));
        EXPECT_FALSE(works.is_frozen(kProject));
        works.freeze(work.id, std::chrono::hours(1));
        work.state = OperationState::kFailed;
        works.update(work);
        EXPECT_FALSE(works.is_frozen(kProject));
        work.state = OperationState::kRunning;
        works.update(work);
        works.freeze(work.id, std::chrono::hours(-1));
        EXPECT_FALSE(works.is_frozen(kProject));
    });
}

TEST_P(StoreSuite, PrunesOldOperationsOfProjectsButNoOpenOne) {
    write([](Transaction& tx) {
        const auto add = [&](std::optional<std::int64_t> finished) {
            auto work = make_work(model::ProjectId::generate());
            if (finished) {
                work.state = OperationState::kSucceeded;
                work.finished_at = at(*finished);
            }
            tx.project_operations().insert(work);
            return work.id;
        };
        const auto old = add(1);
        const auto recent = add(100);
        const auto open = add(std::nullopt);
        EXPECT_EQ(tx.project_operations().prune(at(50)), 1);
        EXPECT_FALSE(tx.project_operations().find(old));
        EXPECT_TRUE(tx.project_operations().find(recent));
        EXPECT_TRUE(tx.project_operations().find(open));
    });
}

TEST_P(StoreSuite, KeepsEveryFieldOfABackup) {
    auto backup = make_backup(kProject, 1, BackupState::kRunning);
    backup.scheduled = true;
    backup.snapshot = {{"name", "A project"}};
    write([&](Transaction& tx) { tx.backups().insert(backup); });
    backup.name = "before the exam";
    backup.state = BackupState::kComplete;
    backup.file = "other";
    backup.size_bytes = 5'000'000'000;
    backup.content_bytes = 6'000'000'000;
    backup.files = 7;
    backup.sha256 = "abc";
    backup.consistent = true;
    backup.finished_at = at(9);
    backup.error = "none";
    write([&](Transaction& tx) { tx.backups().update(backup); });
    const auto found = read([&](Transaction& tx) { return tx.backups().find(backup.id); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->project_id, kProject);
    EXPECT_EQ(found->user_id, kOwner);
    EXPECT_EQ(found->project_name, "A project");
    EXPECT_EQ(found->name, "before the exam");
    EXPECT_EQ(found->state, BackupState::kComplete);
    EXPECT_EQ(found->file, "other");
    EXPECT_EQ(found->size_bytes, 5'000'000'000);
    EXPECT_EQ(found->content_bytes, 6'000'000'000);
    EXPECT_EQ(found->files, 7);
    EXPECT_EQ(found->sha256, "abc");
    EXPECT_TRUE(found->consistent);
    EXPECT_TRUE(found->scheduled);
    EXPECT_EQ(found->snapshot, backup.snapshot);
    EXPECT_EQ(found->created_at, at(1));
    EXPECT_EQ(found->finished_at, at(9));
    EXPECT_EQ(found->error, "none");
}

TEST_P(StoreSuite, ListsBackupsNewestFirstWithoutThoseThatAreBeingDeleted) {
    write([](Transaction& tx) {
        auto backups = tx.backups();
        const auto other_project = model::ProjectId::generate();
        const auto oldest = make_backup(kProject, 1);
        auto scheduled = make_backup(kProject, 2);
        scheduled.scheduled = true;
        const auto failed = make_backup(kProject, 3, BackupState::kFailed);
        const auto deleting = make_backup(kProject, 4, BackupState::kDeleting);
        auto theirs = make_backup(other_project, 5);
        theirs.user_id = kOther;
        auto cleared = make_backup(other_project, 6, BackupState::kFailed);
        cleared.file.clear();
        for (const auto& each : {oldest, scheduled, failed, deleting, theirs, cleared})
            backups.insert(each);
        EXPECT_EQ(ids(backups.of_project(kOwner, kProject).rows),
                  (std::vector{failed.id, scheduled.id, oldest.id}));
        EXPECT_EQ(ids(backups.of_user(kOwner).rows),
                  (std::vector{cleared.id, failed.id, scheduled.id, oldest.id}));
        const auto first = backups.of_project(kOwner, kProject, {.limit = 2, .cursor = {}});
        ASSERT_TRUE(first.next);
        EXPECT_EQ(ids(backups.of_project(kOwner, kProject, {.limit = 2, .cursor = first.next}).rows),
                  (std::vector{oldest.id}));
        EXPECT_THAT(backups.of_project(kOther, kProject).rows, IsEmpty());
        EXPECT_EQ(ids(backups.scheduled()), (std::vector{scheduled.id}));
        EXPECT_EQ(backups.latest_complete(kProject)->id, scheduled.id);
        EXPECT_FALSE(backups.latest_complete(model::ProjectId::generate()));
        EXPECT_EQ(ids(backups.with_leftovers()), (std::vector{deleting.id, failed.id}));
        EXPECT_THAT(backups.all(), SizeIs(6));
        backups.remove(deleting.id);
        EXPECT_FALSE(backups.find(deleting.id));
    });
}

TEST_P(StoreSuite, ABackupIsUsedWhileAnOpenOperationNamesIt) {
    write([](Transaction& tx) {
        auto work = make_work(kProject);
        work.backup_id = model::BackupId::generate();
        tx.project_operations().insert(work);
        EXPECT_TRUE(tx.project_operations().uses_backup(*work.backup_id));
        EXPECT_FALSE(tx.project_operations().uses_backup(model::BackupId::generate()));
        work.state = OperationState::kFailed;
        tx.project_operations().update(work);
        EXPECT_FALSE(tx.project_operations().uses_backup(*work.backup_id));
    });
}

TEST_P(StoreSuite, TellsWhetherAUsersWorkspacesDidAnythingSince) {
    write([](Transaction& tx) {
        const auto workspace = make_workspace(kOwner, "w");
        tx.workspaces().insert(workspace);
        auto own = make_operation(workspace.id, 1);
        own.state = OperationState::kSucceeded;
        own.finished_at = at(10);
        tx.operations().insert(own);
        // Its workspace is gone.
        auto asked = make_operation(model::WorkspaceId::generate(), 1);
        asked.state = OperationState::kSucceeded;
        asked.requested_by = kOwner;
        asked.finished_at = at(20);
        tx.operations().insert(asked);
        EXPECT_TRUE(tx.operations().any_since(kOwner, at(5)));
        EXPECT_TRUE(tx.operations().any_since(kOwner, at(20)));
        EXPECT_FALSE(tx.operations().any_since(kOwner, at(21)));
        EXPECT_FALSE(tx.operations().any_since(kOther, at(0)));
        tx.operations().insert(make_operation(workspace.id, 1));  // goes on
        EXPECT_TRUE(tx.operations().any_since(kOwner, at(1000)));
    });
}

TEST_P(StoreSuite, RemembersEveryVolumeThatAnOwnerEverHad) {
    write([](Transaction& tx) {
        auto first = make_tombstone(kOwner, "v-r1", 1);
        first.kind = model::VolumeKind::kUnfinished;
        first.purged_at = at(2);
        tx.tombstones().insert(first);
        tx.tombstones().insert(make_tombstone(kOwner, "v-r2", 1));
        EXPECT_THAT(tx.tombstones().of_owner("owner"), SizeIs(2));
        EXPECT_THAT(tx.tombstones().of_owner("nobody"), IsEmpty());
        EXPECT_EQ(tx.tombstones().find(first.id)->kind, model::VolumeKind::kUnfinished);
    });
}

}  // namespace
}  // namespace agentdb9::store
