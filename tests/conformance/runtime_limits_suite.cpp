#include "conformance/runtime_suite.hpp"

namespace agentdb9::runtime {

using model::InstanceState;

TEST_P(RuntimeSuite, TellsWhatAnInstanceMayUse) {
    auto made = spec();
    made.limits.shm_mb = 32;
    made.limits.ulimits = {{"nofile", 512}};
    const auto id = create(made);
    EXPECT_EQ(run(runtime().instance_limits(id)), made.limits);
    EXPECT_EQ(run(world().restarted().instance_limits(id)), made.limits);
    EXPECT_FALSE(run(runtime().instance_limits("nobody")));
    EXPECT_FALSE(run(world().of_another_installation().instance_limits(id)));
}

TEST_P(RuntimeSuite, GivesWhatRunsOtherLimitsAndItGoesOn) {
    const auto id = create_started();
    auto wanted = spec().limits;
    for (const std::int64_t memory : {64, 256}) {
        wanted.cpus = 0.5;
        wanted.memory_mb = memory;
        wanted.memory_reservation_mb = 16;
        wanted.pids = 99;
        EXPECT_FALSE(run(runtime().update_limits(id, wanted)).memory_in_use_bytes);
        EXPECT_EQ(run(runtime().instance_limits(id)), wanted);
        EXPECT_EQ(find(id)->state, InstanceState::kRunning);
    }
    run(runtime().update_limits(id, wanted));
    EXPECT_EQ(run(runtime().instance_limits(id)), wanted) << "as often as it is asked";
}

TEST_P(RuntimeSuite, GivesWhatDoesNotRunOtherLimits) {
    const auto id = create(spec());
    auto wanted = spec().limits;
    wanted.memory_mb = 64;
    run(runtime().update_limits(id, wanted));
    EXPECT_EQ(run(runtime().instance_limits(id)), wanted);
    run(runtime().start_instance(id));
    EXPECT_EQ(run(runtime().instance_limits(id)), wanted);
}

TEST_P(RuntimeSuite, LeavesWhatAnInstanceIsMadeWith) {
    const auto id = create_started();
    auto wanted = spec().limits;
    wanted.shm_mb = 1;
    wanted.ulimits = {{"nofile", 1}};
    wanted.pids = 50;
    run(runtime().update_limits(id, wanted));
    auto has = spec().limits;
    has.pids = 50;
    EXPECT_EQ(run(runtime().instance_limits(id)), has);
}

TEST_P(RuntimeSuite, GivesNothingToOneThatIsNotThereOrNotOurs) {
    EXPECT_EQ(word_of(runtime().update_limits("nobody", {})), "instance_not_found");
    EXPECT_EQ(last_code(), base::ErrorCode::kNotFound);
    const auto id = create(spec());
    EXPECT_EQ(word_of(world().of_another_installation().update_limits(id, {})), "instance_not_found");
    EXPECT_EQ(run(runtime().instance_limits(id)), spec().limits);
}

TEST_P(RuntimeSuite, MeasuresItsOwnVolumes) {
    create(spec());
    const auto sizes = run(runtime().volume_sizes());
    ASSERT_TRUE(sizes.contains(volume()));
    EXPECT_GE(sizes.at(volume()), 0);
    EXPECT_FALSE(run(world().of_another_installation().volume_sizes()).contains(volume()));
}

}  // namespace agentdb9::runtime
