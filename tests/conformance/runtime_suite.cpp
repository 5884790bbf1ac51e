#include "conformance/runtime_suite.hpp"

namespace agentdb9::runtime {

using model::InstanceState;

void Listener::on_event(const base::WorkspaceId& workspace, const std::string& instance, EventKind kind) {
    const char* word = kind == EventKind::kStarted   ? "started "
                       : kind == EventKind::kDied    ? "died "
                       : kind == EventKind::kRemoved ? "removed "
                                                     : "other ";
    heard.push_back(word + instance);
    workspaces.insert(workspace.str());
}

bool Listener::has(const std::string& word) const {
    return count(word) > 0;
}

std::size_t Listener::count(const std::string& word) const {
    return static_cast<std::size_t>(std::ranges::count(heard, word));
}

RuntimeSuite::~RuntimeSuite() {
    stop_watching();
}

model::InstanceSpec RuntimeSuite::spec(std::int64_t generation) {
    model::InstanceSpec spec{
        .workspace_id = workspace, .user_id = user, .project_id = project, .workspace_type = "test"};
    spec.generation = generation;
    spec.image = world_->image();
    spec.env = {{"WORKSPACE_ID", workspace.str()}};
    spec.mounts = {{volume(), "/workspace"}};
    spec.limits = {.cpus = 1, .memory_mb = 128, .memory_reservation_mb = 32, .pids = 64};
    spec.port = 8080;
    run(runtime().ensure_volume(
        {.name = volume(), .project_id = project, .workspace_id = {}, .user_id = user}));
    return spec;
}

std::string RuntimeSuite::create(const model::InstanceSpec& spec, const std::string& suffix) {
    return run(runtime().create_instance(spec, name(suffix)));
}

std::string RuntimeSuite::create_started(std::int64_t generation, const std::string& suffix) {
    const auto id = create(spec(generation), suffix);
    run(runtime().start_instance(id));
    return id;
}

std::optional<model::Instance> RuntimeSuite::find(const std::string& id) {
    for (auto& instance : run(runtime().instances(workspace))) {
        if (instance.id == id) return std::move(instance);
    }
    return std::nullopt;
}

bool RuntimeSuite::eventually(const std::function<bool()>& predicate) {
    for (int looks = 0; looks < 3000; ++looks) {
        if (predicate()) return true;
        world_->let_a_moment_pass();
    }
    return false;
}

bool RuntimeSuite::becomes_ready(const std::string& id, const std::optional<std::string>& path) {
    return eventually([&] {
        const auto instance = find(id);
        const auto endpoint = instance ? model::endpoint_of(*instance, 8080) : std::nullopt;
        return endpoint &&
               run(runtime().probe(*endpoint, path, std::chrono::seconds(1))) == ProbeOutcome::kReady;
    });
}

bool RuntimeSuite::becomes(const std::string& id, InstanceState state) {
    return eventually([&] {
        const auto instance = find(id);
        return instance && instance->state == state;
    });
}

void RuntimeSuite::watch(Runtime& watched) {
    watching_ = true;
    asio::co_spawn(world_->executor(), watched.watch(listener),
                   asio::bind_cancellation_slot(stop_.slot(), [this](std::exception_ptr error) {
                       EXPECT_TRUE(error && base::is_cancellation(error)) << "watch() ended by itself";
                       watching_ = false;
                   }));
    ASSERT_TRUE(world_->go_on_until([&] { return listener.has("connected"); }));
}

void RuntimeSuite::stop_watching() {
    if (!watching_) return;
    stop_.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(world_->go_on_until([&] { return !watching_; })) << "watch() does not end when cancelled";
}

TEST_P(RuntimeSuite, TellsWhatItIs) {
    run(runtime().prepare());
    const auto info = run(runtime().info());
    EXPECT_FALSE(info.name.empty());
    EXPECT_FALSE(info.version.empty());
    EXPECT_FALSE(info.api_version.empty());
    EXPECT_TRUE(info.isolates_workspaces);
}

TEST_P(RuntimeSuite, PreparesAsOftenAsItIsAsked) {
    run(runtime().prepare());
    run(runtime().prepare());
    run(world().restarted().prepare());
}

TEST_P(RuntimeSuite, MakesAnInstanceThatDoesNotRunAndListsIt) {
    const auto made_from = spec(7);
    const auto id = create(made_from);
    const auto instance = find(id);
    ASSERT_TRUE(instance);
    EXPECT_EQ(instance->name, name());
    EXPECT_EQ(instance->workspace_id, workspace);
    EXPECT_EQ(instance->user_id, user);
    EXPECT_EQ(instance->project_id, project);
    EXPECT_EQ(instance->workspace_type, "test");
    EXPECT_EQ(instance->generation, 7);
    EXPECT_EQ(instance->spec, model::spec_hash(made_from));
    EXPECT_EQ(instance->image, world().image());
    EXPECT_EQ(instance->state, InstanceState::kCreated);
    EXPECT_EQ(instance->address, std::nullopt);
    EXPECT_THAT(instance->volumes, testing::ElementsAre(volume()));
    EXPECT_TRUE(instance->created_at);
}

TEST_P(RuntimeSuite, ListsByWorkspaceAndByVolume) {
    const auto id = create(spec());
    const auto ids = [](const std::vector<model::Instance>& instances) {
        std::vector<std::string> found;
        for (const auto& instance : instances)
            found.push_back(instance.id);
        return found;
    };
    EXPECT_THAT(ids(run(runtime().instances())), testing::Contains(id));
    EXPECT_THAT(ids(run(runtime().instances(workspace))), testing::ElementsAre(id));
    EXPECT_THAT(ids(run(runtime().instances(base::WorkspaceId::generate()))), testing::IsEmpty());
    EXPECT_THAT(ids(run(runtime().instances_on_volume(volume()))), testing::ElementsAre(id));
    EXPECT_THAT(ids(run(runtime().instances_on_volume(volume().substr(0, 30)))), testing::IsEmpty())
        << "a part of a name is another name";
    EXPECT_THAT(ids(run(runtime().instances_on_volume("/workspace"))), testing::IsEmpty());
    EXPECT_THAT(ids(run(world().restarted().instances(workspace))), testing::ElementsAre(id));
}

TEST_P(RuntimeSuite, HandsBackTheInstanceThatItMadeBefore) {
    const auto id = create(spec());
    EXPECT_EQ(create(spec()), id);
    EXPECT_EQ(run(world().restarted().create_instance(spec(), name())), id);
    run(runtime().start_instance(id));
    EXPECT_EQ(create(spec()), id) << "also when it runs";
    run(runtime().stop_instance(id, std::chrono::seconds(1)));
    EXPECT_EQ(create(spec()), id) << "and when it ran";
}

TEST_P(RuntimeSuite, RefusesANameThatAnotherInstanceHas) {
    create(spec(1));
    EXPECT_EQ(word_of(runtime().create_instance(spec(2), name())), "instance_name_taken");
    EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
    auto other = spec(1);
    other.env["OTHER"] = "1";
    EXPECT_EQ(word_of(runtime().create_instance(other, name())), "instance_name_taken");
}

TEST_P(RuntimeSuite, SaysThatAnImageIsMissing) {
    auto missing = spec();
    missing.image = world().missing_image();
    EXPECT_EQ(word_of(runtime().create_instance(missing, name())), "image_unavailable");
    EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
    EXPECT_FALSE(run(runtime().has_image(world().missing_image())));
    EXPECT_EQ(word_of(runtime().ensure_image(world().missing_image(), [](const PullProgress&) {})),
              "image_unavailable");
    EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
    EXPECT_TRUE(run(runtime().has_image(world().image())));
    EXPECT_EQ(word_of(runtime().ensure_image(world().image(), [](const PullProgress&) {})), "");
}

TEST_P(RuntimeSuite, StartsItAsOftenAsItIsAsked) {
    const auto id = create_started();
    run(runtime().start_instance(id));
    run(world().restarted().start_instance(id));
    const auto instance = find(id);
    ASSERT_TRUE(instance);
    EXPECT_EQ(instance->state, InstanceState::kRunning);
    EXPECT_TRUE(model::endpoint_of(*instance, 8080));
}

TEST_P(RuntimeSuite, StopsItAsOftenAsItIsAsked) {
    const auto id = create(spec());
    run(runtime().stop_instance(id, std::chrono::seconds(1)));
    run(runtime().start_instance(id));
    run(runtime().stop_instance(id, std::chrono::seconds(5)));
    run(runtime().stop_instance(id, std::chrono::seconds(5)));
    const auto instance = find(id);
    ASSERT_TRUE(instance);
    EXPECT_EQ(instance->state, InstanceState::kExited);
    EXPECT_EQ(instance->address, std::nullopt);
    run(runtime().start_instance(id));
    EXPECT_EQ(find(id)->state, InstanceState::kRunning) << "and starts it again";
}

TEST_P(RuntimeSuite, EndsWhatDoesNotWantToEnd) {
    auto stubborn = spec();
    stubborn.env["IGNORE_TERM"] = "1";
    const auto id = create(stubborn);
    run(runtime().start_instance(id));
    ASSERT_TRUE(becomes_ready(id, std::nullopt));
    run(runtime().stop_instance(id, std::chrono::seconds(1)));
    EXPECT_EQ(find(id)->state, InstanceState::kExited);
}

TEST_P(RuntimeSuite, ResumesWhatIsPaused) {
    const auto id = create_started();
    world().pause(id);
    EXPECT_EQ(find(id)->state, InstanceState::kPaused);
    run(runtime().resume_instance(id));
    EXPECT_EQ(find(id)->state, InstanceState::kRunning);
    run(runtime().resume_instance(id));
}

TEST_P(RuntimeSuite, StopsAndRemovesWhatIsPaused) {
    const auto first = create_started(1);
    world().pause(first);
    run(runtime().stop_instance(first, std::chrono::seconds(1)));
    EXPECT_EQ(find(first)->state, InstanceState::kExited);
    const auto second = create_started(2, "-g2");
    world().pause(second);
    run(runtime().remove_instance(second));
    EXPECT_FALSE(find(second));
}

TEST_P(RuntimeSuite, RenamesAlsoWhatRuns) {
    const auto id = create_started(1);
    run(runtime().rename_instance(id, name("-g1")));
    EXPECT_EQ(find(id)->name, name("-g1"));
    EXPECT_EQ(find(id)->state, InstanceState::kRunning);
    run(runtime().rename_instance(id, name("-g1")));
    const auto second = create(spec(2));
    EXPECT_EQ(word_of(runtime().rename_instance(second, name("-g1"))), "instance_name_taken");
    EXPECT_EQ(last_code(), base::ErrorCode::kConflict);
    EXPECT_EQ(find(second)->name, name());
}

TEST_P(RuntimeSuite, FollowsARenamingBehindItsBack) {
    const auto id = create(spec());
    world().rename(id, name("-renamed"));
    EXPECT_EQ(find(id)->name, name("-renamed"));
    const auto another = create(spec());
    EXPECT_NE(another, id) << "the name was free again";
}

TEST_P(RuntimeSuite, RemovesWhatRunsButNotItsVolumes) {
    const auto id = create_started();
    run(runtime().remove_instance(id));
    EXPECT_FALSE(find(id));
    run(runtime().remove_instance(id));
    EXPECT_TRUE(world().has_volume(volume()));
}

TEST_P(RuntimeSuite, KnowsOneThatIsGone) {
    const auto id = create_started();
    world().remove(id);
    EXPECT_FALSE(find(id));
    EXPECT_EQ(word_of(runtime().start_instance(id)), "instance_not_found");
    EXPECT_EQ(last_code(), base::ErrorCode::kNotFound);
    EXPECT_EQ(word_of(runtime().rename_instance(id, name("-x"))), "instance_not_found");
    EXPECT_EQ(word_of(runtime().resume_instance(id)), "instance_not_found");
    EXPECT_EQ(word_of(runtime().stop_instance(id, std::chrono::seconds(1))), "");
    EXPECT_EQ(word_of(runtime().remove_instance(id)), "");
    EXPECT_EQ(run(runtime().last_output(id, 5)), "");
    EXPECT_NE(create(spec()), id) << "its name is free";
}

TEST_P(RuntimeSuite, KnowsOneThatWasKilled) {
    const auto id = create_started();
    world().kill(id);
    EXPECT_TRUE(becomes(id, InstanceState::kExited));
    run(runtime().start_instance(id));
    EXPECT_EQ(find(id)->state, InstanceState::kRunning);
}

TEST_P(RuntimeSuite, TellsTheLastWordsOfOneThatFails) {
    auto failing = spec();
    failing.env["FAIL_START"] = "1";
    const auto id = create(failing);
    EXPECT_EQ(run(runtime().last_output(id, 5)), "");
    run(runtime().start_instance(id));
    EXPECT_TRUE(eventually([&] { return !run(runtime().last_output(id, 1)).empty(); }));
    EXPECT_EQ(run(runtime().last_output(id, 1)), "testapp: told to fail at its start\n");
    EXPECT_EQ(run(runtime().last_output("nobody", 5)), "");
}

}  // namespace agentdb9::runtime
