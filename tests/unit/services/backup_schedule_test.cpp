#include "services/backup_schedule.hpp"

#include "unit/services/projects_fixture.hpp"

namespace agentdb9::services {
namespace {

using model::BackupState;
using testing::IsEmpty;
using testing::SizeIs;

class Schedule : public ProjectsTest {
  protected:
    // A round, and the end of what it began.
    void round(BackupSchedule& schedule) {
        run(schedule.run());
        for (const auto& each : read([](store::Transaction& tx) { return tx.project_operations().open(); }))
            end_of(each);
    }
    void round() { round(schedule_); }
    std::vector<model::Backup> all() {
        return read([](store::Transaction& tx) { return tx.backups().all(); });
    }
    // Somebody worked with one of the user's workspaces just now.
    void work_happens() {
        model::Operation operation{.id = base::OperationId::generate(),
                                   .workspace_id = base::WorkspaceId::generate(),
                                   .state = model::OperationState::kSucceeded};
        operation.requested_by = user_;
        operation.created_at = clock_.now();
        operation.finished_at = clock_.now();
        write([operation](store::Transaction& tx) { tx.operations().insert(operation); });
    }

    BackupSchedule schedule_{tools_, backups_, trash_, {.every = 24h, .keep = 2}};
};

TEST_F(Schedule, BacksUpWhatIsDueAndNotSooner) {
    make_project();
    round();
    ASSERT_THAT(all(), SizeIs(1));
    EXPECT_TRUE(all().front().scheduled);
    EXPECT_EQ(all().front().state, BackupState::kComplete);
    clock_.jump(23h);
    work_happens();
    round();
    EXPECT_THAT(all(), SizeIs(1));
    clock_.jump(2h);
    round();
    EXPECT_THAT(all(), SizeIs(2));
}

TEST_F(Schedule, SkipsAProjectThatCannotHaveChanged) {
    const auto project = make_project();
    round();
    clock_.jump(48h);
    round();
    EXPECT_THAT(all(), SizeIs(1));
    make_workspace(project, model::DesiredState::kRunning);
    round();
    EXPECT_THAT(all(), SizeIs(2));
}

TEST_F(Schedule, KeepsTheNewestOfItsOwnAndAllThatPeopleMade) {
    const auto project = make_project();
    const auto mine = back_up(project);
    for (int day = 0; day < 4; ++day) {
        clock_.jump(25h);
        work_happens();
        round();
    }
    run(schedule_.run());  // the last one has ended since
    const auto left = all();
    ASSERT_THAT(left, SizeIs(3));
    EXPECT_TRUE(left[0].scheduled);
    EXPECT_TRUE(left[1].scheduled);
    EXPECT_EQ(left[2].id, mine.id);
    EXPECT_THAT(files(), SizeIs(6));  // an archive and a manifest each
}

TEST_F(Schedule, RemovesNothingWhileTheDatabaseMayBeAnOldCopy) {
    make_project();
    write([](store::Transaction& tx) { tx.settings().set("purgePausedBecause", "it may be an old copy"); });
    for (int day = 0; day < 4; ++day) {
        clock_.jump(25h);
        work_happens();
        round();
    }
    EXPECT_THAT(all(), SizeIs(4));
}

TEST_F(Schedule, AProjectInTheTrashKeepsItsBackupsUntilItIsGoneForGood) {
    const auto project = make_project();
    round();
    const auto mine = back_up(project);
    model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = user_};
    tombstone.volume_name = *project.volume_name;
    tombstone.owner_id = project.id.str();
    write([=](store::Transaction& tx) {
        tx.projects().remove(project.id);
        tx.tombstones().insert(tombstone);
    });
    round();
    EXPECT_THAT(all(), SizeIs(2));
    tombstone.purged_at = clock_.now();
    write([=](store::Transaction& tx) { tx.tombstones().update(tombstone); });
    round();
    ASSERT_THAT(all(), SizeIs(1));
    EXPECT_EQ(all().front().id, mine.id);
}

TEST_F(Schedule, AFailureIsTriedAgainAtTheNextTurnAndLeavesOneRow) {
    make_project();
    volumes_.read_failure = base::Error(base::ErrorCode::kUpstream, "runtime_error", "No.");
    for (int turn = 0; turn < 3; ++turn) {
        round();
        round();
        clock_.jump(25h);
    }
    ASSERT_THAT(all(), SizeIs(1));
    EXPECT_EQ(all().front().state, BackupState::kFailed);
    volumes_.read_failure.reset();
    round();
    run(schedule_.run());  // it has succeeded since
    ASSERT_THAT(all(), SizeIs(1));
    EXPECT_EQ(all().front().state, BackupState::kComplete);
}

TEST_F(Schedule, TwoServersMakeOneBackupATurn) {
    const auto project = make_project();
    round();
    // The other one found it due a moment before.
    BackupRequest request;
    request.scheduled = true;
    EXPECT_EQ(word_of([&] { run(backups_.create(user_, project.id, request)); }), "project_busy");
    request.scheduled = false;
    EXPECT_EQ(back_up(project, request).state, BackupState::kComplete);
}

TEST_F(Schedule, DoesNothingWhenItIsOff) {
    make_project();
    BackupSchedule off(tools_, backups_, trash_, {});
    round(off);
    EXPECT_THAT(all(), IsEmpty());
}

}  // namespace
}  // namespace agentdb9::services
