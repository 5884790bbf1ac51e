#include <fstream>

#include "unit/services/projects_fixture.hpp"

namespace agentdb9::services {
namespace {

using model::BackupState;
using model::OperationState;
using testing::IsEmpty;
using testing::SizeIs;

class Backups : public ProjectsTest {
  protected:
    std::optional<model::Tombstone> tombstone_of(const std::string& volume) {
        return read([volume](store::Transaction& tx) { return tx.tombstones().find_open_by_volume(volume); });
    }
};

TEST_F(Backups, ABackupThatFailsHalfWayLeavesNoFile) {
    const auto project = make_project();
    volumes_.read_failure = base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It is away.");
    const auto backup = back_up(project);
    EXPECT_EQ(backup.state, BackupState::kFailed);
    EXPECT_EQ(backup.error, "It is away.");
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_EQ(word_of([&] { run(backups_.open(backup)); }), "backup_not_complete");
    // The next one is not in its way.
    volumes_.read_failure.reset();
    EXPECT_EQ(back_up(project).state, BackupState::kComplete);
}

TEST_F(Backups, WhatADeadServerHadBegunIsEndedAndItsFilesGo) {
    const auto project = make_project();
    auto dead = work_.make(model::ProjectOperationKind::kBackup, project.id, user_);
    dead.server = "dead";
    model::Backup backup{
        .id = base::BackupId::generate(), .project_id = project.id, .user_id = user_, .project_name = "p"};
    backup.file = BackupFiles::name_of(backup);
    dead.backup_id = backup.id;
    dead.volume_name = "half-filled";
    model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = user_};
    tombstone.kind = model::VolumeKind::kUnfinished;
    tombstone.volume_name = "half-filled";
    tombstone.purge_after = clock_.now() + 24h * 365;
    write([=](store::Transaction& tx) {
        tx.project_operations().insert(dead);
        tx.backups().insert(backup);
        tx.tombstones().insert(tombstone);
    });
    run(files_.prepare(backup));
    std::ofstream(files_.partial(backup)) << "half";
    run(work_.start());
    const auto ended =
        read([id = dead.id](store::Transaction& tx) { return tx.project_operations().find(id); }).value();
    EXPECT_EQ(ended.state, OperationState::kFailed);
    EXPECT_EQ(ended.error_code, "server_ended");
    EXPECT_EQ(run(backups_.find(user_, project.id, backup.id)).state, BackupState::kFailed);
    EXPECT_LE(tombstone_of("half-filled")->purge_after, clock_.now());
    EXPECT_THAT(files(), SizeIs(1));
    run(backups_.sweep());
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_EQ(run(backups_.find(user_, project.id, backup.id)).file, "");
}

TEST_F(Backups, AnOperationThatWasTakenForDeadCannotFinish) {
    const auto project = make_project();
    const auto backup = back_up(project);
    // While the archive is unpacked another server ends the operation.
    volumes_.meanwhile = [this]() -> Task<> {
        co_await store_->write([](store::Transaction& tx) {
            for (auto each : tx.project_operations().open()) {
                each.state = OperationState::kFailed;
                each.error_code = "server_ended";
                tx.project_operations().update(each);
            }
        });
    };
    const auto operation = run(restores_.clone(user_, project.id, "late"));
    EXPECT_EQ(end_of(operation).error_code, "server_ended");
    EXPECT_THAT(read([](store::Transaction& tx) { return tx.projects().all(); }), SizeIs(1));
}

TEST_F(Backups, ARestoreSwapsTheVolumeAndMovesStoppedWorkspacesOn) {
    const auto project = make_project();
    const auto workspace = make_workspace(project, model::DesiredState::kStopped);
    const auto backup = back_up(project);
    volumes_.contents[*project.volume_name] = "spoilt";
    const auto operation = run(restores_.restore(user_, project.id, backup.id, std::nullopt));
    EXPECT_EQ(end_of(operation).state, OperationState::kSucceeded);
    const auto restored = row(project.id);
    EXPECT_EQ(restored.volume_name, *project.volume_name + "-r1");
    EXPECT_FALSE(tombstone_of(*restored.volume_name));
    const auto old = tombstone_of(*project.volume_name);
    ASSERT_TRUE(old);
    EXPECT_EQ(old->kind, model::VolumeKind::kReplaced);
    const auto moved =
        read([id = workspace.id](store::Transaction& tx) { return tx.workspaces().find(id); }).value();
    EXPECT_GT(moved.generation, workspace.generation);
    // And back again: the one that was restored is now in the trash.
    run(trash_.restore(user_, old->id));
    EXPECT_EQ(row(project.id).volume_name, project.volume_name);
    EXPECT_EQ(tombstone_of(*restored.volume_name)->kind, model::VolumeKind::kReplaced);
    EXPECT_EQ(word_of([&] { run(trash_.restore(user_, old->id)); }), "already_restored");
}

TEST_F(Backups, ARestoreThatFailsLeavesTheProjectAndGivesTheNewVolumeUp) {
    const auto project = make_project();
    const auto backup = back_up(project);
    volumes_.write_failure = base::conflict("archive_refused", "No.");
    const auto operation = run(restores_.restore(user_, project.id, backup.id, std::nullopt));
    EXPECT_EQ(end_of(operation).error_code, "archive_refused");
    EXPECT_EQ(row(project.id).volume_name, project.volume_name);
    const auto half = tombstone_of(*project.volume_name + "-r1");
    ASSERT_TRUE(half);
    EXPECT_EQ(half->kind, model::VolumeKind::kUnfinished);
    EXPECT_EQ(word_of([&] { run(trash_.restore(std::nullopt, half->id)); }), "restore_impossible");
    EXPECT_EQ(run(trash_.cleanup_orphaned_volumes()), std::vector{*project.volume_name + "-r1"});
    EXPECT_TRUE(engine_.volumes().contains(*project.volume_name));
    // Its name is not used again.
    volumes_.write_failure.reset();
    end_of(run(restores_.restore(user_, project.id, backup.id, std::nullopt)));
    EXPECT_EQ(row(project.id).volume_name, *project.volume_name + "-r2");
}

TEST_F(Backups, AVolumeThatIsBeingFilledIsNobodysToPurge) {
    const auto project = make_project();
    std::string seen;
    volumes_.meanwhile = [&]() -> Task<> {
        const auto mine = co_await trash_.trash(user_);
        const auto all = co_await trash_.trash(std::nullopt);
        const auto removed = co_await trash_.cleanup_orphaned_volumes();
        seen = std::to_string(mine.size()) + std::to_string(all.size()) + std::to_string(removed.size());
        try {
            co_await trash_.purge(std::nullopt, all.front().id);
        } catch (const base::Error& error) {
            seen += error.word();
        }
    };
    end_of(run(restores_.clone(user_, project.id, std::nullopt)));
    EXPECT_EQ(seen, "010volume_in_use");
}

TEST_F(Backups, AVolumeOfUnknownOriginUnderTheNextNameIsLeftAlone) {
    const auto project = make_project();
    const auto backup = back_up(project);
    // The database is an older copy: it does not know of an earlier restore.
    const auto unknown = *project.volume_name + "-r1";
    engine_.make_volume(installation_,
                        {.name = unknown, .project_id = project.id, .workspace_id = {}, .user_id = user_});
    volumes_.contents[unknown] = "somebody's work";
    end_of(run(restores_.restore(user_, project.id, backup.id, std::nullopt)));
    EXPECT_EQ(row(project.id).volume_name, *project.volume_name + "-r2");
    EXPECT_EQ(in_volume(unknown), "somebody's work");
}

TEST_F(Backups, AProjectThatIsInUseIsNotRestored) {
    const auto project = make_project();
    const auto backup = back_up(project);
    auto workspace = make_workspace(project, model::DesiredState::kRunning);
    const auto restore = [&] { run(restores_.restore(user_, project.id, backup.id, std::nullopt)); };
    EXPECT_EQ(word_of(restore), "project_in_use");
    // Nor when it comes into use while the archive is unpacked.
    workspace.desired_state = model::DesiredState::kStopped;
    write([workspace](store::Transaction& tx) { tx.workspaces().update(workspace); });
    const auto operation = run(restores_.restore(user_, project.id, backup.id, std::nullopt));
    workspace.desired_state = model::DesiredState::kRunning;
    write([workspace](store::Transaction& tx) { tx.workspaces().update(workspace); });
    EXPECT_EQ(end_of(operation).error_code, "project_in_use");
    EXPECT_EQ(row(project.id).volume_name, project.volume_name);
}

TEST_F(Backups, ABackupInUseIsNotDeleted) {
    const auto project = make_project();
    const auto backup = back_up(project);
    const auto operation = run(restores_.restore(user_, project.id, backup.id, std::nullopt));
    EXPECT_EQ(word_of([&] { run(backups_.remove(user_, project.id, backup.id)); }), "backup_in_use");
    end_of(operation);
    run(backups_.remove(user_, project.id, backup.id));
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Backups, ADeletionThatStoppedHalfWayGoesOn) {
    const auto project = make_project();
    auto backup = back_up(project);
    backup.state = BackupState::kDeleting;
    write([backup](store::Transaction& tx) { tx.backups().update(backup); });
    EXPECT_EQ(word_of([&] { run(backups_.find(user_, project.id, backup.id)); }), "backup_not_found");
    run(backups_.sweep());
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_THAT(read([](store::Transaction& tx) { return tx.backups().all(); }), IsEmpty());
}

TEST_F(Backups, ACopyIsConsistentOnlyWhenNothingRanMeanwhile) {
    const auto project = make_project();
    EXPECT_TRUE(back_up(project).consistent);
    // One comes and goes while the files are copied.
    auto workspace = make_workspace(project, model::DesiredState::kStopped);
    volumes_.meanwhile = [this, workspace]() mutable -> Task<> {
        co_await clock_.sleep_for(1ms);
        workspace.updated_at = clock_.now();
        co_await store_->write([workspace](store::Transaction& tx) { tx.workspaces().update(workspace); });
    };
    EXPECT_FALSE(back_up(project).consistent);
}

}  // namespace
}  // namespace agentdb9::services
