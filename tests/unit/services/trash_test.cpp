#include "services/docker_volume_service.hpp"
#include "services/snapshot.hpp"
#include "support/simulation/runtime.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {
namespace {

class Trash : public ServicesTest {
  protected:
    // A project whose volume went into the trash, for a week.
    model::Tombstone throw_away(const base::InstallationId& whose) {
        model::Project project{.id = base::ProjectId::generate(), .name = "p", .user_id = user_};
        project.volume_name = model::project_volume_name(project.id);
        engine_.make_volume(
            whose,
            {.name = *project.volume_name, .project_id = project.id, .workspace_id = {}, .user_id = user_});
        model::Tombstone tombstone{.id = base::TombstoneId::generate(), .user_id = user_};
        tombstone.volume_name = *project.volume_name;
        tombstone.owner_id = project.id.str();
        tombstone.snapshot = snapshot_of(project);
        tombstone.deleted_at = clock_.now();
        tombstone.purge_after = clock_.now() + 24h * 7;
        write([tombstone](store::Transaction& tx) { tx.tombstones().insert(tombstone); });
        return tombstone;
    }
    std::size_t clean_up() { return run(volumes_.cleanup_orphaned_volumes()).size(); }

    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    base::InstallationId installation_ = base::InstallationId::generate();
    test::SimulatedRuntime runtime_{engine_, clock_, random_, installation_, faults_};
    DockerVolumeService volumes_{clock_, *store_, runtime_};
    base::UserId user_ = base::UserId::generate();
};

TEST_F(Trash, AVolumeIsRemovedOnceItsTimeIsOverAndNotBefore) {
    const auto due = throw_away(installation_);
    EXPECT_EQ(clean_up(), 0U);
    clock_.jump(24h * 7 - 1min);
    EXPECT_EQ(clean_up(), 0U);
    clock_.jump(1min);
    EXPECT_EQ(clean_up(), 1U);
    EXPECT_TRUE(engine_.volumes().empty());
    EXPECT_TRUE(run(volumes_.trash(user_)).empty());
}

TEST_F(Trash, AVolumeWithoutATombstoneIsNeverRemoved) {
    const auto project = base::ProjectId::generate();
    engine_.make_volume(installation_, {.name = model::project_volume_name(project),
                                        .project_id = project,
                                        .workspace_id = {},
                                        .user_id = user_});
    clock_.jump(24h * 365);
    EXPECT_EQ(clean_up(), 0U);
    EXPECT_EQ(engine_.volumes().size(), 1U);
}

TEST_F(Trash, AnotherInstallationsVolumeIsLeftAloneThoughATombstoneNamesIt) {
    const auto theirs = throw_away(base::InstallationId::generate());
    clock_.jump(24h * 8);
    EXPECT_EQ(clean_up(), 0U);
    EXPECT_EQ(word_of([&] { run(volumes_.purge(user_, theirs.id)); }), "volume_not_ours");
    EXPECT_EQ(engine_.volumes().size(), 1U);
}

TEST_F(Trash, AVolumeOfAnotherOwnerUnderTheSameNameIsLeftAlone) {
    const auto tombstone = throw_away(installation_);
    engine_.volumes().at(tombstone.volume_name).volume.project_id = base::ProjectId::generate();
    EXPECT_EQ(word_of([&] { run(volumes_.purge(user_, tombstone.id)); }), "volume_not_ours");
}

TEST_F(Trash, ARestoreBringsTheProjectBackOnce) {
    const auto tombstone = throw_away(installation_);
    run(volumes_.restore(user_, tombstone.id));
    const auto projects = read([](store::Transaction& tx) { return tx.projects().all(); });
    ASSERT_EQ(projects.size(), 1U);
    EXPECT_EQ(projects[0].volume_name, tombstone.volume_name);
    EXPECT_EQ(word_of([&] { run(volumes_.restore(user_, tombstone.id)); }), "already_restored");
    clock_.jump(24h * 8);
    EXPECT_EQ(clean_up(), 0U);
    EXPECT_EQ(engine_.volumes().size(), 1U);
}

TEST_F(Trash, AnothersTrashIsNotThere) {
    const auto tombstone = throw_away(installation_);
    const auto eve = base::UserId::generate();
    EXPECT_TRUE(run(volumes_.trash(eve)).empty());
    EXPECT_EQ(word_of([&] { run(volumes_.restore(eve, tombstone.id)); }), "volume_not_found");
    EXPECT_EQ(word_of([&] { run(volumes_.purge(eve, tombstone.id)); }), "volume_not_found");
}

TEST_F(Trash, AVolumeWhoseRemovalHasBegunIsNotRestored) {
    const auto tombstone = throw_away(installation_);
    faults_.fails_before = 1;  // nobody knows what became of it
    EXPECT_NE(word_of([&] { run(volumes_.purge(user_, tombstone.id)); }), "");
    faults_.fails_before = 0;
    EXPECT_EQ(word_of([&] { run(volumes_.restore(user_, tombstone.id)); }), "volume_being_purged");
    // Who died over it is taken over from.
    loop_.run_for(6min);
    EXPECT_EQ(clean_up(), 1U);
    EXPECT_TRUE(engine_.volumes().empty());
}

TEST_F(Trash, ARemovalThatDiedWithItsServerIsFinishedByTheNextOneAtOnce) {
    const auto tombstone = throw_away(installation_);
    faults_.fails_before = 1;
    EXPECT_NE(word_of([&] { run(volumes_.purge(user_, tombstone.id)); }), "");
    faults_.fails_before = 0;
    // It may still be under way as long as the server that asked for it lives.
    EXPECT_EQ(word_of([&] { run(volumes_.purge(user_, tombstone.id)); }), "volume_being_purged");
    loop_.run_for(1s);
    DockerVolumeService next(clock_, *store_, runtime_);
    EXPECT_EQ(run(next.cleanup_orphaned_volumes()).size(), 1U);
    EXPECT_TRUE(engine_.volumes().empty());
}

TEST_F(Trash, AVolumeThatAContainerStillMountsCanBeRestored) {
    const auto tombstone = throw_away(installation_);
    model::InstanceSpec spec{.workspace_id = base::WorkspaceId::generate(),
                             .user_id = user_,
                             .project_id = base::ProjectId::generate()};
    spec.image = "image";
    spec.mounts = {{tombstone.volume_name, "/workspace"}};
    engine_.images().insert("image");
    engine_.create(installation_, spec, "c");
    std::vector<base::WorkspaceId> told;
    volumes_.on_left_behind([&](const base::WorkspaceId& workspace) { told.push_back(workspace); });
    EXPECT_EQ(word_of([&] { run(volumes_.purge(user_, tombstone.id)); }), "volume_in_use");
    EXPECT_EQ(told, std::vector{spec.workspace_id}) << "whose container it is is looked at";
    run(volumes_.restore(user_, tombstone.id));
    EXPECT_EQ(engine_.volumes().size(), 1U);
}

TEST_F(Trash, AGapInTheHeartbeatPausesPurgingUntilSomebodySaysThatAllIsWell) {
    throw_away(installation_);
    run(volumes_.heartbeat());
    clock_.jump(24h * 8);
    run(volumes_.heartbeat());
    ASSERT_TRUE(run(volumes_.purge_paused_because()));
    EXPECT_EQ(clean_up(), 0U);
    run(volumes_.heartbeat());
    EXPECT_TRUE(run(volumes_.purge_paused_because())) << "it does not go away by itself";
    run(volumes_.resume_purge());
    EXPECT_EQ(clean_up(), 1U);
}

TEST_F(Trash, AClockThatWentBackPausesPurging) {
    run(volumes_.heartbeat());
    clock_.jump(-2min);
    run(volumes_.heartbeat());
    EXPECT_TRUE(run(volumes_.purge_paused_because()));
}

TEST_F(Trash, ASteadyHeartbeatPausesNothing) {
    for (int i = 0; i < 20; ++i) {
        run(volumes_.heartbeat());
        loop_.run_for(30min);
    }
    EXPECT_FALSE(run(volumes_.purge_paused_because()));
}

}  // namespace
}  // namespace agentdb9::services
