// Volumes, applications' answers, events, and the walls between installations.
#include "conformance/runtime_suite.hpp"

namespace agentdb9::runtime {

using model::InstanceState;
using testing::Contains;
using testing::Not;

namespace {

std::vector<std::string> names(const std::vector<Volume>& volumes) {
    std::vector<std::string> names;
    for (const auto& volume : volumes)
        names.push_back(volume.name);
    return names;
}

}  // namespace

TEST_P(RuntimeSuite, MakesAVolumeOnceAndTellsWhoseItIs) {
    const VolumeSpec wanted{.name = volume(), .project_id = project, .workspace_id = {}, .user_id = user};
    for (int i = 0; i < 2; ++i) {
        const auto made = run(runtime().ensure_volume(wanted));
        EXPECT_EQ(made.name, volume());
        EXPECT_FALSE(made.path.empty());
        EXPECT_EQ(made.project_id, project);
        EXPECT_EQ(made.workspace_id, std::nullopt);
        EXPECT_EQ(made.user_id, user);
        EXPECT_TRUE(made.ours);
        EXPECT_TRUE(made.created_at);
    }
    const auto found = run(world().restarted().find_volume(volume()));
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->ours);
    EXPECT_EQ(found->user_id, user);
    EXPECT_THAT(names(run(runtime().volumes())), Contains(volume()));
    const auto home = model::home_volume_name(workspace);
    const auto made = run(runtime().ensure_volume(
        {.name = home, .project_id = {}, .workspace_id = workspace, .user_id = user}));
    EXPECT_EQ(made.workspace_id, workspace);
    EXPECT_EQ(made.project_id, std::nullopt);
}

TEST_P(RuntimeSuite, RemovesAVolumeAsOftenAsItIsAsked) {
    spec();
    run(runtime().remove_volume(volume()));
    run(runtime().remove_volume(volume()));
    EXPECT_FALSE(world().has_volume(volume()));
    EXPECT_EQ(run(runtime().find_volume(volume())), std::nullopt);
    EXPECT_THAT(names(run(runtime().volumes())), Not(Contains(volume())));
}

TEST_P(RuntimeSuite, KeepsAVolumeThatAnInstanceMounts) {
    const auto id = create(spec());
    for (const bool running : {false, true}) {
        if (running) run(runtime().start_instance(id));
        EXPECT_EQ(word_of(runtime().remove_volume(volume())), "volume_in_use") << running;
        EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
        EXPECT_TRUE(world().has_volume(volume()));
    }
    run(runtime().remove_instance(id));
    EXPECT_EQ(word_of(runtime().remove_volume(volume())), "");
}

TEST_P(RuntimeSuite, LeavesTheVolumesOfOthersAlone) {
    for (const bool of_another : {false, true}) {
        const auto name = "agentdb9-project-" + base::ProjectId::generate().str();
        world().make_volume(name, of_another);
        EXPECT_EQ(word_of(runtime().ensure_volume(
                      {.name = name, .project_id = project, .workspace_id = {}, .user_id = user})),
                  "volume_not_ours");
        EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
        EXPECT_EQ(word_of(runtime().remove_volume(name)), "volume_not_ours");
        EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
        EXPECT_TRUE(world().has_volume(name));
        EXPECT_THAT(names(run(runtime().volumes())), Not(Contains(name)));
        const auto found = run(runtime().find_volume(name));
        ASSERT_TRUE(found);
        EXPECT_FALSE(found->ours);
    }
}

TEST_P(RuntimeSuite, TouchesNoInstanceOfAnotherInstallation) {
    const auto id = create_started();
    auto& other = world().of_another_installation();
    EXPECT_TRUE(run(other.instances(workspace)).empty());
    EXPECT_TRUE(run(other.instances_on_volume(volume())).empty());
    EXPECT_EQ(word_of(other.start_instance(id)), "instance_not_found");
    EXPECT_EQ(word_of(other.rename_instance(id, name("-stolen"))), "instance_not_found");
    EXPECT_EQ(word_of(other.resume_instance(id)), "instance_not_found");
    EXPECT_EQ(word_of(other.stop_instance(id, std::chrono::seconds(0))), "");
    EXPECT_EQ(word_of(other.remove_instance(id)), "");
    EXPECT_EQ(run(other.last_output(id, 5)), "");
    EXPECT_EQ(word_of(other.create_instance(spec(), name())), "instance_name_taken");
    EXPECT_TRUE(world().is_running(id));
    EXPECT_EQ(find(id)->name, name());
}

TEST_P(RuntimeSuite, FindsOutWhetherAnApplicationAnswers) {
    auto slow = spec();
    slow.env["START_DELAY"] = "300";
    const auto id = create(slow);
    run(runtime().start_instance(id));
    const auto endpoint = model::endpoint_of(*find(id), 8080);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(run(runtime().probe(*endpoint, std::nullopt, std::chrono::seconds(1))), ProbeOutcome::kNotYet);
    EXPECT_TRUE(becomes_ready(id, std::nullopt));
    EXPECT_TRUE(becomes_ready(id, "/healthz"));
    EXPECT_EQ(run(runtime().probe(*endpoint, "/status/404", std::chrono::seconds(1))), ProbeOutcome::kReady);
    EXPECT_EQ(run(runtime().probe(*endpoint, "/status/500", std::chrono::seconds(1))), ProbeOutcome::kNotYet);
    EXPECT_EQ(run(runtime().probe(*endpoint, "/slow?ms=3000", std::chrono::seconds(1))),
              ProbeOutcome::kNotYet);
    run(runtime().stop_instance(id, std::chrono::seconds(2)));
    EXPECT_EQ(run(runtime().probe(*endpoint, std::nullopt, std::chrono::seconds(1))), ProbeOutcome::kNotYet);
    EXPECT_EQ(run(runtime().probe({"not an address", 80}, std::nullopt, std::chrono::seconds(1))),
              ProbeOutcome::kNotYet);
}

TEST_P(RuntimeSuite, IsNotReadyWhileTheApplicationIsUnhealthy) {
    auto unhealthy = spec();
    unhealthy.env["UNHEALTHY"] = "1";
    const auto id = create(unhealthy);
    run(runtime().start_instance(id));
    ASSERT_TRUE(becomes_ready(id, std::nullopt));
    EXPECT_EQ(run(runtime().probe(*model::endpoint_of(*find(id), 8080), "/healthz", std::chrono::seconds(1))),
              ProbeOutcome::kNotYet);
}

TEST_P(RuntimeSuite, GivesNoOneTheAddressOfOneThatIsGone) {
    std::set<std::string> seen;
    for (int generation = 1; generation <= 4; ++generation) {
        const auto suffix = "-g" + std::to_string(generation);
        const auto id = create_started(generation, suffix);
        const auto address = find(id)->address;
        ASSERT_TRUE(address);
        EXPECT_TRUE(seen.insert(*address).second) << *address << " was another's a moment ago";
        if (generation % 2 == 0) {
            run(runtime().remove_instance(id));
        } else {
            world().remove(id);
        }
    }
}

TEST_P(RuntimeSuite, AStoppedInstanceFindsItsAddressFreeAlsoAfterARestart) {
    const auto id = create_started(1);
    const auto address = find(id)->address;
    run(runtime().stop_instance(id, std::chrono::seconds(2)));
    auto& restarted = world().restarted();
    const auto second = run(restarted.create_instance(spec(2), name("-g2")));
    run(restarted.start_instance(second));
    EXPECT_NE(find(second)->address, address);
    run(restarted.start_instance(id));
    EXPECT_EQ(find(id)->address, address);
}

TEST_P(RuntimeSuite, TellsWhatHappensToItsInstances) {
    watch(runtime());
    const auto id = create_started();
    EXPECT_TRUE(world().go_on_until([&] { return listener.has("started " + id); }));
    world().kill(id);
    EXPECT_TRUE(world().go_on_until([&] { return listener.has("died " + id); }));
    world().remove(id);
    EXPECT_TRUE(world().go_on_until([&] { return listener.has("removed " + id); }));
    EXPECT_THAT(listener.workspaces, testing::ElementsAre(workspace.str()));
    EXPECT_EQ(listener.count("died " + id), 1U);
}

TEST_P(RuntimeSuite, TellsNothingOfAnotherInstallation) {
    watch(world().of_another_installation());
    const auto id = create_started();
    run(runtime().remove_instance(id));
    // One of its own, so that what came before it would have been told.
    const auto own_volume = "agentdb9-project-" + base::ProjectId::generate().str();
    auto& other = world().of_another_installation();
    run(other.ensure_volume(
        {.name = own_volume, .project_id = project, .workspace_id = {}, .user_id = user}));
    auto own = spec();
    own.mounts = {{own_volume, "/workspace"}};
    const auto own_id = run(other.create_instance(own, name("-other")));
    run(other.start_instance(own_id));
    EXPECT_TRUE(world().go_on_until([&] { return listener.has("started " + own_id); }));
    for (const auto& word : listener.heard)
        EXPECT_THAT(word, Not(testing::HasSubstr(id)));
    run(other.remove_instance(own_id));
}

TEST_P(RuntimeSuite, ComesBackToTheEventsAndTellsNothingTwice) {
    watch(runtime());
    const auto id = create_started();
    ASSERT_TRUE(world().go_on_until([&] { return listener.has("started " + id); }));
    world().break_connections();
    ASSERT_TRUE(world().go_on_until([&] { return listener.has("disconnected"); }));
    world().kill(id);
    ASSERT_TRUE(world().go_on_until([&] { return listener.count("connected") == 2; }));
    EXPECT_EQ(find(id)->state, InstanceState::kExited) << "what happened in the gap is seen, if not told";
    run(runtime().start_instance(id));
    EXPECT_TRUE(world().go_on_until([&] { return listener.count("started " + id) == 2; }));
    EXPECT_LE(listener.count("died " + id), 1U);
    EXPECT_EQ(listener.count("disconnected"), 1U);
}

TEST_P(RuntimeSuite, GoesOnAfterItsConnectionsBroke) {
    const auto id = create_started();
    for (int i = 0; i < 3; ++i) {
        world().break_connections();
        EXPECT_EQ(find(id)->state, InstanceState::kRunning);
    }
}

}  // namespace agentdb9::runtime
