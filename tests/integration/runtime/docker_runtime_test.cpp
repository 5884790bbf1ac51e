// DockerRuntime against what an engine may answer: statuses in all their meanings and networks that come and
// go.
#include "engine_world.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using runtime::docker::DockerRuntime;
using testing::ElementsAre;
using testing::HasSubstr;

class DockerRuntimeTest : public testing::Test, protected EngineWorld {
  protected:
    std::unique_ptr<DockerRuntime> make_runtime() {
        return std::make_unique<DockerRuntime>(
            context.get_executor(), clock, installation,
            runtime::docker::DockerOptions{.host = engine.host(), .network = "net"});
    }
    // As after a restart of the server.
    void restart_server() { runtime = make_runtime(); }
    std::string create(std::int64_t generation = 1) {
        return run(runtime->create_instance(some_spec(generation), "name" + std::to_string(generation)));
    }
    FakeEngine::Container& container(const std::string& id) { return engine.containers.at(id); }
    void answer(const std::string& call, FakeReply with) {
        engine.script = [=](const FakeRequest& request) -> std::optional<FakeReply> {
            if (request.call().find(call) == std::string::npos) return std::nullopt;
            return with;
        };
    }
    std::string subnet() const { return std::string(engine.networks.at("net").at("Subnet").as_string()); }

    base::InstallationId installation = base::InstallationId::generate();
    std::unique_ptr<DockerRuntime> runtime = make_runtime();
};

TEST_F(DockerRuntimeTest, MakesAnIsolatedNetworkOnASubnetOfItsOwn) {
    run(runtime->prepare());
    const auto& network = engine.networks.at("net");
    EXPECT_EQ(network.at("Options").at("com.docker.network.bridge.enable_icc"), "false");
    EXPECT_EQ(subnet(), "10.213.0.0/16");
    EXPECT_TRUE(run(runtime->info()).isolates_workspaces);
}

TEST_F(DockerRuntimeTest, TriesOtherSubnetsWhereOneIsTaken) {
    int refused = 0;
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.call() != "POST /networks/create" || refused == 3) return std::nullopt;
        ++refused;
        return refusal(403, "Pool overlaps with other one on this address space");
    };
    run(runtime->prepare());
    EXPECT_EQ(subnet(), "10.216.0.0/16");
}

TEST_F(DockerRuntimeTest, SaysWhatToDoWhenNoNetworkCanBeMade) {
    answer("POST /networks/create", refusal(403, "Pool overlaps with other one on this address space"));
    EXPECT_EQ(word_of(runtime->prepare()), "runtime_error");
    EXPECT_THAT(last_message, HasSubstr("docker.network"));
    answer("POST /networks/create", refusal(500, "no bridge module"));
    engine.requests.clear();
    EXPECT_EQ(word_of(runtime->prepare()), "runtime_error");
    EXPECT_EQ(engine.requests.size(), 2U) << "another subnet would not help";
}

TEST_F(DockerRuntimeTest, LivesWithANetworkThatAnotherServerMakesAtTheSameTime) {
    engine.after = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.call() != "POST /networks/create") return std::nullopt;
        return refusal(409, "network with name net already exists");
    };
    EXPECT_EQ(word_of(runtime->prepare()), "");
}

TEST_F(DockerRuntimeTest, LeavesTheAddressesOfANetworkThatIsNotOursToTheEngine) {
    engine.networks["net"] = {
        {"Driver", "bridge"},
        {"Labels", json::object{{"com.docker.compose.network", "default"}}},
        {"IPAM", json::object{{"Config", json::array{json::object{{"Subnet", "172.18.0.0/16"}}}}}}};
    const auto id = create();
    EXPECT_EQ(container(id).address, "");
    EXPECT_EQ(word_of(runtime->start_instance(id)), "");
    EXPECT_FALSE(run(runtime->info()).isolates_workspaces);
}

TEST_F(DockerRuntimeTest, RefusesTheHostsOwnNetwork) {
    for (const auto* driver : {"host", "null"}) {
        engine.networks["net"] = {{"Driver", driver}};
        EXPECT_EQ(word_of(runtime->create_instance(some_spec(), "x")), "network_unfit");
        EXPECT_THAT(last_message, HasSubstr("docker.network"));
    }
    EXPECT_TRUE(engine.containers.empty());
}

TEST_F(DockerRuntimeTest, MakingAndStartingAnInstanceIsTwoCalls) {
    create(1);
    engine.requests.clear();
    const auto id = create(2);
    run(runtime->start_instance(id));
    EXPECT_THAT(engine.calls(), ElementsAre("POST /containers/create", "POST /containers/" + id + "/start"));
}

TEST_F(DockerRuntimeTest, GivesNoAddressOfAStoppedContainerAfterARestart) {
    std::set<std::string> held;
    run(runtime->prepare());
    // As good as all of the subnet is held by containers that do not run, of other installations too.
    engine.networks["net"]["IPAM"] =
        json::object{{"Config", json::array{json::object{{"Subnet", "10.213.0.0/28"}}}}};
    for (int last = 2; last < 14; ++last) {
        const auto address = "10.213.0." + std::to_string(last);
        engine.containers["other" + std::to_string(last)] = {.name = "other" + std::to_string(last),
                                                             .labels = {},
                                                             .state = "exited",
                                                             .network = "net",
                                                             .address = address,
                                                             .actual_address = {},
                                                             .body = {}};
        held.insert(address);
    }
    restart_server();
    EXPECT_EQ(container(create(1)).address, "10.213.0.14");
    EXPECT_EQ(word_of(runtime->create_instance(some_spec(2), "x")), "addresses_exhausted");
    EXPECT_EQ(last_code, base::ErrorCode::kConflict);
}

TEST_F(DockerRuntimeTest, TakesAnotherAddressWhenTheEngineKnowsThatItIsTaken) {
    const auto id = create();
    const auto address = container(id).address;
    engine.containers["stranger"] = {.name = "stranger",
                                     .labels = {},
                                     .state = "running",
                                     .network = "net",
                                     .address = address,
                                     .actual_address = address,
                                     .body = {}};
    run(runtime->start_instance(id));
    EXPECT_EQ(container(id).state, "running");
    EXPECT_NE(container(id).actual_address, address);
    EXPECT_EQ(container(id).actual_address, container(id).address) << "chosen, not the engine's";
}

TEST_F(DockerRuntimeTest, MakesTheNetworkAnewWhenSomebodyRemovedIt) {
    const auto id = create();
    engine.networks.clear();
    run(runtime->start_instance(id));
    EXPECT_EQ(container(id).state, "running");
    EXPECT_EQ(engine.networks.at("net").at("Options").at("com.docker.network.bridge.enable_icc"), "false");
}

TEST_F(DockerRuntimeTest, MakesTheNetworkAnewWhenTheEngineMissesItAtTheCreate) {
    // Later engines look for the network at once. It is no missing image.
    create(1);
    engine.networks.clear();
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (!request.call().starts_with("POST /containers/create") || engine.networks.contains("net"))
            return std::nullopt;
        return refusal(404, "network net not found");
    };
    run(runtime->start_instance(create(2)));
    answer("POST /containers/create", refusal(404, "network net not found"));
    EXPECT_NE(word_of(runtime->create_instance(some_spec(3), "x")), "") << "but not for ever";
}

TEST_F(DockerRuntimeTest, ChoosesFromTheNewSubnetOfANetworkThatWasMadeAnew) {
    const auto old = create(1);
    engine.networks.clear();
    int refused = 0;
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.call() != "POST /networks/create" || refused++ > 0) return std::nullopt;
        return refusal(403, "Pool overlaps with other one on this address space");
    };
    run(runtime->start_instance(old));
    EXPECT_EQ(subnet(), "10.214.0.0/16");
    EXPECT_THAT(container(old).actual_address, testing::StartsWith("10.214."));
    EXPECT_THAT(container(create(2)).address, testing::StartsWith("10.214."));
}

TEST_F(DockerRuntimeTest, LeavesTheChoiceToTheEngineWhereTheNewNetworkIsNotOurs) {
    const auto id = create();
    engine.networks["net"] = {{"Driver", "bridge"}};
    run(runtime->start_instance(id));
    EXPECT_EQ(container(id).state, "running");
    EXPECT_EQ(container(id).address, "");
    EXPECT_EQ(container(create(2)).address, "");
}

TEST_F(DockerRuntimeTest, StartsNothingThatCouldNotBeAttached) {
    const auto id = create();
    engine.networks.clear();
    answer("/networks/net/connect", refusal(500, "no"));
    EXPECT_EQ(word_of(runtime->start_instance(id)), "runtime_error");
    EXPECT_NE(container(id).state, "running");
}

TEST_F(DockerRuntimeTest, GivesUpOnAContainerThatTheNetworkAlwaysRefuses) {
    const auto id = create();
    answer("/start", refusal(403, "Address already in use"));
    EXPECT_EQ(word_of(runtime->start_instance(id)), "runtime_error");
    EXPECT_LE(engine.requests.size(), 40U);
}

TEST_F(DockerRuntimeTest, ReadsEachRefusalOfAStart) {
    const auto id = create();
    answer("/start", reply(304));
    EXPECT_EQ(word_of(runtime->start_instance(id)), "") << "runs already";
    answer("/start", refusal(404, "No such container: x"));
    EXPECT_EQ(word_of(runtime->start_instance(id)), "instance_not_found");
    EXPECT_EQ(last_code, base::ErrorCode::kNotFound);
    answer("/start", refusal(400, "OCI runtime create failed: exec: \"/x\": no such file or directory"));
    EXPECT_EQ(word_of(runtime->start_instance(id)), "runtime_error");
    EXPECT_EQ(last_code, base::ErrorCode::kUpstream);
}

TEST_F(DockerRuntimeTest, ReadsEachMeaningOf409) {
    const auto id = create();
    EXPECT_EQ(create(), id) << "the same one: handed back";
    EXPECT_EQ(word_of(runtime->create_instance(some_spec(2), "name1")), "instance_name_taken");
    answer("/rename", refusal(409, "Conflict. The container name \"/b\" is already in use"));
    EXPECT_EQ(word_of(runtime->rename_instance(id, "b")), "instance_name_taken");
    EXPECT_EQ(word_of(runtime->rename_instance(id, "name1")), "") << "it has the name already";
    answer("/rename", refusal(400, "Renaming a container with the same name as its current name"));
    EXPECT_EQ(word_of(runtime->rename_instance(id, "name1")), "");
    answer("DELETE /volumes/", refusal(409, "remove v: volume is in use - [abc]"));
    run(runtime->ensure_volume(
        {.name = "v", .project_id = {}, .workspace_id = {}, .user_id = base::UserId::generate()}));
    EXPECT_EQ(word_of(runtime->remove_volume("v")), "volume_in_use");
    int asked = 0;
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.method != "DELETE") return std::nullopt;
        if (++asked < 4) return refusal(409, "removal of container " + id + " is already in progress");
        return refusal(404, "No such container");
    };
    EXPECT_EQ(word_of(runtime->remove_instance(id)), "") << "waits until it is gone";
    EXPECT_EQ(asked, 4);
}

// The engine gives a name away some time before it shows the container, to a call that nobody waits for any
// more.
TEST_F(DockerRuntimeTest, WaitsForWhatACallThatBrokeOffIsStillMaking) {
    const auto id = create();
    auto half_made = engine.containers.extract(id);
    int asked = 0;
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (!request.path.starts_with("/containers/create")) return std::nullopt;
        if (++asked == 3) engine.containers.insert(std::move(half_made));
        if (asked > 3) return std::nullopt;
        return refusal(409, "Conflict. The container name \"/name1\" is already in use by container \"x\".");
    };
    EXPECT_EQ(create(), id);
    EXPECT_EQ(asked, 3);
    engine.containers.erase(id);
    answer("/containers/create", refusal(409, "Conflict. The container name is already in use"));
    const auto before = clock.elapsed();
    EXPECT_EQ(word_of(runtime->create_instance(some_spec(1), "name1")), "instance_name_taken");
    EXPECT_LE(clock.elapsed() - before, 11s) << "but not for ever";
}

TEST_F(DockerRuntimeTest, DoesNotWaitForARemovalForEver) {
    const auto id = create();
    answer("DELETE", refusal(409, "removal of container x is already in progress"));
    const auto before = clock.elapsed();
    EXPECT_EQ(word_of(runtime->remove_instance(id)), "runtime_error");
    EXPECT_LE(clock.elapsed() - before, 31s);
}

TEST_F(DockerRuntimeTest, HandsBackAnInstanceThatRunsOrRanButNoneThatIsGoing) {
    const auto id = create();
    run(runtime->start_instance(id));
    EXPECT_EQ(create(), id);
    run(runtime->stop_instance(id, 1s));
    EXPECT_EQ(create(), id);
    container(id).state = "removing";
    EXPECT_EQ(word_of(runtime->create_instance(some_spec(1), "name1")), "instance_name_taken");
}

TEST_F(DockerRuntimeTest, TouchesNoContainerOfOthers) {
    engine.containers["stranger"] = {
        .name = "stranger",
        .labels = {{"agentdb9.managed", "true"},
                   {"agentdb9.instance", base::InstallationId::generate().view()}},
        .state = "running",
        .network = "net",
        .address = {},
        .actual_address = "172.18.0.7",
        .body = {}};
    EXPECT_EQ(word_of(runtime->start_instance("stranger")), "instance_not_found");
    EXPECT_EQ(word_of(runtime->rename_instance("stranger", "x")), "instance_not_found");
    EXPECT_EQ(word_of(runtime->resume_instance("stranger")), "instance_not_found");
    EXPECT_EQ(word_of(runtime->stop_instance("stranger", 1s)), "");
    EXPECT_EQ(word_of(runtime->remove_instance("stranger")), "");
    EXPECT_EQ(run(runtime->last_output("stranger", 5)), "");
    ASSERT_TRUE(engine.containers.contains("stranger"));
    EXPECT_EQ(container("stranger").state, "running");
    EXPECT_EQ(container("stranger").name, "stranger");
    EXPECT_TRUE(run(runtime->instances()).empty());
    for (const auto& call : engine.calls())
        EXPECT_THAT(call, testing::AnyOf(testing::StartsWith("GET "))) << "only looked at";
}

TEST_F(DockerRuntimeTest, TakesNoVolumeOfAnotherInstallationWhoeverWasFirst) {
    const runtime::VolumeSpec spec{
        .name = "v", .project_id = {}, .workspace_id = {}, .user_id = base::UserId::generate()};
    engine.volumes["v"] = {{"Name", "v"}, {"Labels", json::object{{"agentdb9.instance", "other"}}}};
    EXPECT_EQ(word_of(runtime->ensure_volume(spec)), "volume_not_ours");
    EXPECT_EQ(last_code, base::ErrorCode::kConflict);
    EXPECT_EQ(word_of(runtime->remove_volume("v")), "volume_not_ours");
    EXPECT_TRUE(engine.volumes.contains("v"));
    // Another driver's: the engine refuses to make it.
    answer("POST /volumes/create", refusal(409, "volume name must be unique"));
    EXPECT_EQ(word_of(runtime->ensure_volume(spec)), "volume_not_ours");
    engine.volumes.clear();
    EXPECT_EQ(word_of(runtime->ensure_volume(spec)), "runtime_error");
}

TEST_F(DockerRuntimeTest, EncodesEveryNameInAPath) {
    const std::string name = "x/../../etc?force=true#%";
    run(runtime->find_volume(name));
    EXPECT_EQ(engine.requests.back().path, "/volumes/x%2F..%2F..%2Fetc%3Fforce%3Dtrue%23%25");
    run(runtime->has_image("reg.local:5000/a/b:1"));
    EXPECT_EQ(engine.requests.back().path, "/images/reg.local%3A5000%2Fa%2Fb%3A1/json");
}

}  // namespace
}  // namespace agentdb9::test
