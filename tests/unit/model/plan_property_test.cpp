// The plan carried out on random beginnings, with an end after any number of its actions: whatever happened
// before, planning again leads to what is wanted, and on the way no rule is broken.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/plan.hpp"
#include "support/simulation/random.hpp"

namespace agentdb9::model {
namespace {

using test::Random;
using Kind = ActionKind;

const auto kWorkspace = *base::WorkspaceId::parse("11111111-1111-4111-8111-111111111111");
const std::string kPlain = instance_name(kWorkspace);
constexpr int kCases = 20000;

Target target(std::int64_t generation, bool home) {
    Target made{.generation = generation, .spec = "s" + std::to_string(generation), .volumes = {}};
    made.volumes.push_back("project" + std::to_string(generation % 3));
    if (home) made.volumes.push_back("home");
    made.limits.memory_mb = 1000 + generation;
    return made;
}

class Executor {
  public:
    Executor(Random& random) : random_(random), home_(random.chance(0.5)) {
        furnish();
        want();
    }

    // One pass: plans, and carries out as much as `most` allows.
    void pass(std::size_t most) {
        const auto actions = plan(desired, observed);
        for (std::size_t i = 0; i < std::min(most, actions.size()) && !testing::Test::HasFailure(); ++i)
            carry_out(actions[i]);
    }
    bool settled() const { return forgotten || is_settled(plan(desired, observed)); }
    void expect_reached() const {
        if (desired.state == Desired::State::kDeleted) EXPECT_TRUE(forgotten && observed.instances.empty());
        if (desired.state == Desired::State::kStopped) {
            EXPECT_FALSE(observed.routed);
            EXPECT_LE(observed.instances.size(), 1U);
            EXPECT_TRUE(std::ranges::none_of(observed.instances, live));
        }
        if (desired.state == Desired::State::kRunning) {
            ASSERT_EQ(observed.instances.size(), 1U);
            expect_serving(observed.instances.front());
        }
    }

    Desired desired;
    Observed observed;
    bool forgotten = false;

  private:
    static bool live(const ObservedInstance& each) { return holds_volumes(each.instance.state); }

    void expect_serving(const ObservedInstance& each) const {
        EXPECT_EQ(each.instance.generation, desired.current->generation);
        EXPECT_EQ(each.instance.state, InstanceState::kRunning);
        EXPECT_EQ(each.instance.name, kPlain);
        EXPECT_TRUE(each.ready);
        EXPECT_TRUE(each.serving);
        const auto& has = each.instance.limits;
        EXPECT_TRUE(!has || same_while_running(*has, desired.current->limits)) << has->memory_mb;
    }

    void furnish() {
        const InstanceState states[] = {InstanceState::kCreated, InstanceState::kRunning,
                                        InstanceState::kPaused,  InstanceState::kRestarting,
                                        InstanceState::kExited,  InstanceState::kRemoving,
                                        InstanceState::kDead};
        for (auto count = random_.below(5); count > 0; --count) {
            const auto of = target(static_cast<std::int64_t>(1 + random_.below(4)), home_);
            ObservedInstance each{
                .instance = {.id = "c" + std::to_string(++made_), .workspace_id = kWorkspace}};
            each.instance.name = observed.instances.empty() && random_.chance(0.5)
                                     ? kPlain
                                     : kPlain + "-x" + std::to_string(made_);
            each.instance.generation = of.generation;
            each.instance.spec = random_.chance(0.8) ? of.spec : "older";
            each.instance.volumes = of.volumes;
            each.instance.limits = of.limits;
            if (random_.chance(0.2)) each.instance.limits->memory_mb = 7;
            if (random_.chance(0.1)) each.instance.limits->shm_mb = 7;
            if (random_.chance(0.1)) each.instance.limits.reset();
            each.instance.state = random_.pick(states);
            if (live(each) && shares_with_live(each)) each.instance.state = InstanceState::kExited;
            each.ready = each.instance.state == InstanceState::kRunning && random_.chance(0.6);
            each.restart = each.instance.state == InstanceState::kRunning && random_.chance(0.2);
            observed.instances.push_back(each);
        }
        observed.routed = random_.chance(0.7);
        if (observed.routed && !observed.instances.empty() && random_.chance(0.6))
            random_.pick(observed.instances).serving = true;
    }

    void want() {
        const Desired::State states[] = {Desired::State::kRunning, Desired::State::kRunning,
                                         Desired::State::kStopped, Desired::State::kDeleted};
        desired.state = random_.pick(states);
        desired.plain_name = kPlain;
        desired.may_overlap = !home_;
        if (desired.state == Desired::State::kRunning || random_.chance(0.8))
            desired.current = target(static_cast<std::int64_t>(1 + random_.below(4)), home_);
        if (desired.state == Desired::State::kRunning && random_.chance(0.5))
            desired.next = target(static_cast<std::int64_t>(5 + random_.below(3)), home_);
    }

    bool shares_with_live(const ObservedInstance& which) const {
        return std::ranges::any_of(observed.instances, [&](const ObservedInstance& other) {
            return &other != &which && other.instance.id != which.instance.id && live(other) &&
                   std::ranges::any_of(which.instance.volumes, [&](const auto& volume) {
                       return std::ranges::count(other.instance.volumes, volume) > 0;
                   });
        });
    }

    ObservedInstance& find(const Action& action) {
        const auto& id = action.instance.empty() ? created_ : action.instance;
        const auto found = std::ranges::find_if(
            observed.instances, [&](const ObservedInstance& each) { return each.instance.id == id; });
        if (found == observed.instances.end()) {
            ADD_FAILURE() << to_text(action.kind) << " of " << id << ", which is not there";
            return observed.instances.emplace_back(
                ObservedInstance{.instance = {.id = id, .workspace_id = kWorkspace}});
        }
        return *found;
    }

    void expect_free(const std::string& name, const std::string& except) const {
        for (const auto& each : observed.instances)
            EXPECT_TRUE(each.instance.name != name || each.instance.id == except) << name << " is taken";
    }

    void create(const Action& action) {
        const bool next = desired.next && desired.next->generation == action.generation;
        const Target& of = next ? *desired.next : *desired.current;
        const auto name = action.plain ? kPlain : instance_name(kWorkspace, action.generation);
        expect_free(name, {});
        created_ = "c" + std::to_string(++made_);
        ObservedInstance each{.instance = {.id = created_, .workspace_id = kWorkspace}};
        each.instance.name = name;
        each.instance.generation = of.generation;
        each.instance.spec = of.spec;
        each.instance.volumes = of.volumes;
        each.instance.limits = of.limits;
        observed.instances.push_back(each);
    }

    void carry_out(const Action& action) {
        switch (action.kind) {
            case Kind::kEnsureVolumes:
                break;
            case Kind::kCreate:
                create(action);
                break;
            case Kind::kStart: {
                auto& which = find(action);
                EXPECT_TRUE(which.instance.state == InstanceState::kCreated ||
                            which.instance.state == InstanceState::kExited);
                EXPECT_FALSE(shares_with_live(which)) << "two on one volume";
                which.instance.state = InstanceState::kRunning;
                which.ready = false;
                break;
            }
            case Kind::kResume:
                EXPECT_EQ(find(action).instance.state, InstanceState::kPaused);
                find(action).instance.state = InstanceState::kRunning;
                break;
            case Kind::kProbe:
                // One that the engine is restarting is up by then.
                EXPECT_TRUE(live(find(action)));
                find(action).instance.state = InstanceState::kRunning;
                find(action).ready = true;
                break;
            case Kind::kHoldRoute:
            case Kind::kDropRoute:
                for (auto& each : observed.instances)
                    each.serving = false;
                observed.routed = action.kind == Kind::kHoldRoute;
                break;
            case Kind::kStop:
                find(action).instance.state = InstanceState::kExited;
                find(action).ready = false;
                find(action).restart = false;
                break;
            case Kind::kRename: {
                const auto name = action.plain ? kPlain : instance_name(kWorkspace, action.generation);
                expect_free(name, find(action).instance.id);
                find(action).instance.name = name;
                break;
            }
            case Kind::kCommitNext:
                EXPECT_TRUE(find(action).ready) << "the replacement takes over before it is ready";
                desired.current = std::exchange(desired.next, std::nullopt);
                break;
            case Kind::kPublishRoute: {
                auto& which = find(action);
                EXPECT_TRUE(which.ready) << "published before it is ready";
                for (auto& each : observed.instances)
                    each.serving = &each == &which;
                observed.routed = true;
                break;
            }
            case Kind::kUpdateLimits: {
                auto& which = find(action);
                const bool next = desired.next && desired.next->generation == action.generation;
                const auto& wanted = (next ? *desired.next : *desired.current).limits;
                EXPECT_FALSE(same_while_running(*which.instance.limits, wanted))
                    << "there is nothing to change";
                which.instance.limits->memory_mb = wanted.memory_mb;
                break;
            }
            case Kind::kRemove:
            case Kind::kDrainAndRemove: {
                const auto id = find(action).instance.id;
                std::erase_if(observed.instances, [&](const auto& each) { return each.instance.id == id; });
                break;
            }
            case Kind::kComplete:
                complete();
                break;
            case Kind::kForgetWorkspace:
                EXPECT_TRUE(observed.instances.empty());
                EXPECT_FALSE(observed.routed);
                forgotten = true;
                break;
        }
    }

    // What the caller waits for is really reached.
    void complete() const {
        EXPECT_FALSE(desired.next);
        if (desired.state == Desired::State::kStopped)
            EXPECT_TRUE(!observed.routed && std::ranges::none_of(observed.instances, live));
        if (desired.state != Desired::State::kRunning) return;
        const auto serving =
            std::ranges::find_if(observed.instances, [](const auto& each) { return each.serving; });
        ASSERT_NE(serving, observed.instances.end()) << "completed before anything serves";
        expect_serving(*serving);
    }

    Random& random_;
    bool home_;
    int made_ = 0;
    std::string created_;
};

TEST(PlanProperties, ReachesWhatIsWantedFromAnywhereAndThroughAnyInterruption) {
    for (std::uint64_t seed = 1; seed <= kCases; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        Executor executor(random);
        // A pass may end after any of its actions, as in a crash.
        for (auto interrupted = random.below(6); interrupted > 0 && !executor.forgotten; --interrupted)
            executor.pass(random.below(8));
        int passes = 0;
        while (!executor.settled() && ++passes <= 3 && !HasFailure())
            executor.pass(100);
        EXPECT_TRUE(executor.settled()) << "still at it after three whole passes";
        executor.expect_reached();
        if (HasFailure()) break;
    }
}

TEST(PlanProperties, SaysTheSameForTheSame) {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        Random random(seed);
        const Executor executor(random);
        auto shuffled = executor.observed;
        std::ranges::reverse(shuffled.instances);
        const auto a = plan(executor.desired, executor.observed);
        EXPECT_EQ(a, plan(executor.desired, executor.observed));
        // In whatever order the engine lists them, the same ones stay.
        const auto b = plan(executor.desired, shuffled);
        EXPECT_TRUE(std::ranges::is_permutation(a, b)) << "seed " << seed;
    }
}

}  // namespace
}  // namespace agentdb9::model
