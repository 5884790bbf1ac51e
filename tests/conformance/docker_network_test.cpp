// Networks that somebody removes, makes anew or made before us; and events across a gap.
#include "conformance/docker_fixture.hpp"

namespace agentdb9::runtime {
namespace {

class DockerNetwork : public DockerFixture {
  protected:
    std::unique_ptr<docker::DockerRuntime> runtime =
        world.make_runtime(world.installation(), world.own_network());

    void remove_network() { world.engine("DELETE", "/networks/" + world.own_network()); }
    void make_network(json::object more) {
        more["Name"] = world.own_network();
        world.engine("POST", "/networks/create", more);
    }
    // As a server of this installation makes it, on a subnet that is free; false when the engine refuses.
    bool make_fit_network() {
        for (int third = 0; third < 32; ++third) {
            const auto subnet = "10.254." + std::to_string(third * 8) + ".0/21";
            try {
                make_network(
                    {{"Driver", "bridge"},
                     {"Labels", json::object{{"agentdb9.managed", "true"}}},
                     {"IPAM", json::object{{"Config", json::array{json::object{{"Subnet", subnet}}}}}}});
                return true;
            } catch (const std::runtime_error&) {
            }
        }
        return false;
    }
};

TEST_F(DockerNetwork, StartsAgainAfterItsNetworkWasRemoved) {
    const auto before = start(*runtime);
    run(runtime->stop_instance(before.id, std::chrono::seconds(2)));
    remove_network();
    run(runtime->start_instance(before.id));
    const auto after = await_ready(*runtime, before.workspace_id);
    EXPECT_TRUE(after.address);
    EXPECT_TRUE(run(runtime->info()).isolates_workspaces);
    EXPECT_TRUE(start(*runtime).address);
}

TEST_F(DockerNetwork, StartsAgainOnANetworkWithAnotherSubnet) {
    const auto before = start(*runtime);
    run(runtime->stop_instance(before.id, std::chrono::seconds(2)));
    remove_network();
    // Ours, as another server of the installation would have made it; the old subnet is taken by now.
    ASSERT_TRUE(make_fit_network());
    run(runtime->start_instance(before.id));
    EXPECT_THAT(*await_ready(*runtime, before.workspace_id).address, testing::StartsWith("10.254."));
    EXPECT_THAT(*start(*runtime).address, testing::StartsWith("10.254."));
}

// As a server leaves it that was killed while it made the network, and whose successor made it too.
TEST_F(DockerNetwork, OneThatIsThereTwiceIsOneAgain) {
    ASSERT_TRUE(make_fit_network());
    if (!make_fit_network()) GTEST_SKIP() << "this engine makes no two networks of one name";
    const auto before = start(*runtime);
    EXPECT_TRUE(before.address);
    // And once more beside a container at work, which goes on.
    ASSERT_TRUE(make_fit_network());
    start(*runtime);
    run(runtime->stop_instance(before.id, std::chrono::seconds(2)));
    ASSERT_TRUE(make_fit_network());
    run(runtime->start_instance(before.id));
    EXPECT_TRUE(await_ready(*runtime, before.workspace_id).address);
    run(runtime->prepare());
    EXPECT_NO_THROW(world.engine("GET", "/networks/" + world.own_network())) << "there is one of that name";
}

TEST_F(DockerNetwork, UsesANetworkThatExistedBeforeAsItIs) {
    make_network(
        {{"Driver", "bridge"}, {"Labels", json::object{{"com.docker.compose.project", "agentdb9"}}}});
    const auto instance = start(*runtime);
    EXPECT_TRUE(instance.address);
    EXPECT_FALSE(run(runtime->info()).isolates_workspaces) << "and says so";
    const auto network = world.engine("GET", "/networks/" + world.own_network());
    EXPECT_EQ(network.at("Labels").as_object().size(), 1U) << "unchanged";
}

TEST_F(DockerNetwork, TakesAnotherAddressThanAStrangers) {
    const auto before = start(*runtime);
    run(runtime->stop_instance(before.id, std::chrono::seconds(2)));
    // Somebody else's container takes the address while ours does not run.
    const auto network = world.own_network();
    json::object endpoints;
    endpoints[network] = json::object{{"IPAMConfig", json::object{{"IPv4Address", *before.address}}}};
    const auto stranger = world.engine(
        "POST", "/containers/create",
        json::object{{"Image", world.image()},
                     {"Labels", json::object{{"agentdb9.instance", world.installation().view()}}},
                     {"HostConfig", json::object{{"NetworkMode", network}}},
                     {"NetworkingConfig", json::object{{"EndpointsConfig", std::move(endpoints)}}}});
    world.engine("POST", "/containers/" + std::string(stranger.at("Id").as_string()) + "/start");
    run(runtime->start_instance(before.id));
    const auto after = await_ready(*runtime, before.workspace_id);
    EXPECT_NE(after.address, before.address);
}

TEST_F(DockerNetwork, RefusesTheHostsNetwork) {
    const auto on_host = world.make_runtime(world.installation(), "host");
    try {
        run(on_host->prepare());
        FAIL() << "took it";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.word(), "network_unfit");
    }
}

TEST_F(DockerNetwork, TellsWhatHappenedWhileTheEventStreamWasBroken) {
    Listener listener;
    asio::cancellation_signal stop;
    bool watching = true;
    const auto instance = start(*runtime);
    asio::co_spawn(world.executor(), runtime->watch(listener),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { watching = false; }));
    ASSERT_TRUE(world.go_on_until([&] { return listener.has("connected"); }));
    world.rename(instance.id, instance.name + "-renamed");
    ASSERT_TRUE(world.go_on_until([&] { return listener.has("other " + instance.id); }));
    world.break_connections();
    ASSERT_TRUE(world.go_on_until([&] { return listener.has("disconnected"); }));
    world.kill(instance.id);
    EXPECT_TRUE(world.go_on_until([&] { return listener.has("died " + instance.id); }));
    EXPECT_EQ(listener.count("other " + instance.id), 1U)
        << "the renaming is not told again: " << testing::PrintToString(listener.heard);
    stop.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(world.go_on_until([&] { return !watching; }));
}

}  // namespace
}  // namespace agentdb9::runtime
