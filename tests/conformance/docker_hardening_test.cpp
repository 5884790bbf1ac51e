// The container as the engine keeps it and as it is from inside.
#include "conformance/docker_fixture.hpp"

namespace agentdb9::runtime {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

using DockerHardening = DockerFixture;

TEST_F(DockerHardening, TheEngineKeepsTheContainerHardened) {
    const auto instance = start(world.runtime());
    const auto whole = world.engine("GET", "/containers/" + instance.id + "/json");
    const auto& host = whole.at("HostConfig");
    EXPECT_EQ(host.at("CapDrop"), json::array{"ALL"});
    EXPECT_TRUE(host.at("CapAdd").is_null());
    EXPECT_EQ(host.at("SecurityOpt"), json::array{"no-new-privileges"});
    EXPECT_EQ(host.at("Privileged"), false);
    EXPECT_EQ(host.at("Init"), true);
    EXPECT_EQ(host.at("PidsLimit"), 40);
    EXPECT_EQ(host.at("Memory"), 96 * 1024 * 1024);
    EXPECT_EQ(host.at("MemorySwap"), 96 * 1024 * 1024);
    EXPECT_EQ(host.at("NanoCpus"), 500'000'000);
    EXPECT_TRUE(host.at("Binds").is_null());
    EXPECT_TRUE(host.at("VolumesFrom").is_null());
    EXPECT_EQ(host.at("PublishAllPorts"), false);
    EXPECT_THAT(json::serialize(host.at("Devices")), AnyOf("[]", "null"));
    EXPECT_THAT(json::serialize(host.at("PortBindings")), AnyOf("{}", "null"));
    EXPECT_EQ(host.at("PidMode"), "");
    EXPECT_EQ(host.at("UTSMode"), "");
    EXPECT_EQ(host.at("UsernsMode"), "");
    EXPECT_THAT(std::string(host.at("IpcMode").as_string()), AnyOf("private", "shareable"));
    EXPECT_EQ(host.at("NetworkMode").as_string(), DockerWorld::shared_network());
    EXPECT_EQ(whole.at("NetworkSettings").at("Networks").as_object().size(), 1U);
    for (const auto& mount : whole.at("Mounts").as_array())
        EXPECT_EQ(mount.at("Type"), "volume");
    EXPECT_EQ(whole.at("AppArmorProfile").as_string().find("unconfined"), std::string::npos);
}

TEST_F(DockerHardening, FromInsideItHasNoPrivilege) {
    const auto instance = start(world.runtime());
    // The application's own process is the child of the init process.
    const auto status = output(instance.id, {"cat", "/proc/1/status"});
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000000000"));
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(status, HasSubstr("Uid:\t1000\t1000\t1000\t1000"));
    EXPECT_THAT(output(instance.id, {"cat", "/proc/1/comm"}), AnyOf("docker-init\n", "tini\n"));
    EXPECT_NE(runs(instance.id, {"busybox", "chown", "0:0", "/workspace"}), 0);
    EXPECT_NE(runs(instance.id, {"busybox", "mount", "-t", "tmpfs", "none", "/tmp"}), 0);
    EXPECT_NE(runs(instance.id, {"ls", "/var/run/docker.sock"}), 0);
    EXPECT_EQ(runs(instance.id, {"ls", "/workspace"}), 0) << "as the tool itself does work";
}

TEST_F(DockerHardening, ItCannotMakeMoreProcessesThanItMay) {
    const auto instance = start(world.runtime());
    const auto made = output(
        instance.id,
        {"sh", "-c", "n=0; while [ $n -lt 100 ]; do sleep 20 >/dev/null 2>&1 & n=$((n+1)); done; echo all"});
    EXPECT_THAT(made, HasSubstr("fork")) << "it is told so";
    EXPECT_EQ(made.find("all\n"), std::string::npos);
}

TEST_F(DockerHardening, TwoWorkspacesCannotReachOneAnother) {
    const auto first = start(world.runtime());
    const auto second = start(world.runtime());
    const auto knock = [&](const model::Instance& from, const model::Instance& at) {
        return runs(from.id, {"sh", "-c", "echo | busybox nc -w 2 " + *at.address + " 8080"});
    };
    EXPECT_EQ(knock(first, first), 0) << "the knock itself works";
    EXPECT_NE(knock(first, second), 0);
    EXPECT_NE(knock(second, first), 0);
}

TEST_F(DockerHardening, ANewVolumeBelongsToTheApplicationsUser) {
    const auto instance = start(world.runtime());
    EXPECT_EQ(output(instance.id, {"stat", "-c", "%u:%g", "/workspace"}), "1000:1000\n");
    EXPECT_EQ(runs(instance.id, {"touch", "/workspace/file"}), 0);
    EXPECT_EQ(output(instance.id, {"stat", "-c", "%u", "/workspace/file"}), "1000\n");
}

TEST_F(DockerHardening, FilesOutliveTheInstance) {
    const auto first = start(world.runtime());
    ASSERT_EQ(runs(first.id, {"sh", "-c", "echo kept > /workspace/file"}), 0);
    run(world.runtime().remove_instance(first.id));
    model::InstanceSpec spec{.workspace_id = base::WorkspaceId::generate(),
                             .user_id = *first.user_id,
                             .project_id = *first.project_id,
                             .workspace_type = "test"};
    spec.image = world.image();
    spec.mounts = {{first.volumes.front(), "/workspace"}};
    spec.port = 8080;
    const auto id = run(world.runtime().create_instance(spec, model::instance_name(spec.workspace_id)));
    run(world.runtime().start_instance(id));
    await_ready(world.runtime(), spec.workspace_id);
    EXPECT_EQ(output(id, {"cat", "/workspace/file"}), "kept\n");
}

TEST_F(DockerHardening, PublishedPortsAreReachedOnThisHostOnly) {
    const auto runtime =
        world.make_runtime(world.installation(), DockerWorld::shared_network(), docker::Reach::kPublished);
    const auto instance = start(*runtime);
    ASSERT_TRUE(instance.published.contains(8080));
    EXPECT_EQ(instance.published.at(8080).host, "127.0.0.1");
    const auto whole = world.engine("GET", "/containers/" + instance.id + "/json");
    const auto& bindings = whole.at("NetworkSettings").at("Ports").at("8080/tcp").as_array();
    for (const auto& binding : bindings)
        EXPECT_EQ(binding.at("HostIp"), "127.0.0.1");
}

TEST_F(DockerHardening, AForwarderThatAcceptsIsNoReadyApplication) {
    const auto runtime =
        world.make_runtime(world.installation(), DockerWorld::shared_network(), docker::Reach::kPublished);
    const auto instance = start(*runtime, {{"START_DELAY", "400"}});
    EXPECT_EQ(run(runtime->probe(instance.published.at(8080), std::nullopt, std::chrono::seconds(1))),
              ProbeOutcome::kReady);
    run(runtime->stop_instance(instance.id, std::chrono::seconds(2)));
    run(runtime->start_instance(instance.id));
    for (const auto& again : run(runtime->instances(instance.workspace_id))) {
        EXPECT_EQ(run(runtime->probe(again.published.at(8080), std::nullopt, std::chrono::seconds(1))),
                  ProbeOutcome::kNotYet)
            << "the engine's forwarder accepts at once, the application later";
    }
}

TEST_F(DockerHardening, NoNameLeavesItsPlaceInThePath) {
    const auto instance = start(world.runtime());
    auto& runtime = world.runtime();
    const auto id = instance.id;
    for (const std::string& name :
         {"x/../../containers/" + id, "../containers/" + id + "?force=true", std::string("a b"),
          std::string("grün"), std::string("%2e%2e"), std::string("a\r\nX: y"), std::string("#")}) {
        // Not there, or refused: but never another thing.
        const auto harmless = [&](const std::function<bool()>& found) {
            try {
                EXPECT_FALSE(found()) << name;
            } catch (const base::Error& error) {
                EXPECT_EQ(error.word(), "runtime_error") << name;
            }
        };
        harmless([&] { return run(runtime.find_volume(name)).has_value(); });
        harmless([&] { return run(runtime.has_image(name)); });
        harmless([&] { return run(runtime.remove_volume(name)), false; });
        harmless([&] { return run(runtime.remove_instance(name)), false; });
        EXPECT_THROW(run(runtime.start_instance(name)), base::Error) << name;
        EXPECT_THROW(run(runtime.rename_instance(id, name)), base::Error) << name;
    }
    EXPECT_TRUE(world.is_running(id));
}

}  // namespace
}  // namespace agentdb9::runtime
