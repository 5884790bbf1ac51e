#include <gmock/gmock.h>

#include "runtime/docker/objects.hpp"

namespace agentdb9::runtime::docker {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

const auto kInstallation = *base::InstallationId::parse("99999999-9999-4999-8999-999999999999");

model::InstanceSpec spec() {
    model::InstanceSpec spec{
        .workspace_id = *base::WorkspaceId::parse("33333333-3333-4333-8333-333333333333"),
        .user_id = *base::UserId::parse("11111111-1111-4111-8111-111111111111"),
        .project_id = *base::ProjectId::parse("55555555-5555-4555-8555-555555555555"),
        .workspace_type = "vscode"};
    spec.generation = 7;
    spec.image = "agentdb9/vscode:local";
    spec.env = {{"WORKSPACE_ID", "33333333"}, {"ODD", "a=b \"c\"\n"}};
    spec.mounts = {{"agentdb9-project-5", "/workspace"}, {"agentdb9-workspace-3", "/home/workspace"}};
    spec.limits = {.cpus = 1.5, .memory_mb = 1024, .memory_reservation_mb = 256, .pids = 300};
    spec.port = 8080;
    return spec;
}

CreateOptions options() {
    return {.installation = kInstallation,
            .network = "net.work",
            .address = "10.213.0.9",
            .publish = false,
            .publish_on = {}};
}

std::vector<std::string> keys(const json::value& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.as_object())
        keys.emplace_back(key);
    return keys;
}

json::value host(const model::InstanceSpec& spec, const CreateOptions& options) {
    return create_body(spec, options).at("HostConfig");
}

TEST(CreateBody, TakesAllPrivilegesFromTheContainer) {
    const auto config = host(spec(), options());
    EXPECT_EQ(config.at("CapDrop"), (json::array{"ALL"}));
    EXPECT_EQ(config.at("SecurityOpt"), (json::array{"no-new-privileges"}));
    EXPECT_EQ(config.at("Privileged"), false);
    EXPECT_EQ(config.at("Init"), true);
}

TEST(CreateBody, AsksForNothingThatIsNotKnownToBeHarmless) {
    // A field that is added here is one to think about: no Binds, Devices, CapAdd, PidMode, IpcMode,
    // UsernsMode, VolumesFrom, ExtraHosts, PublishAllPorts, GroupAdd.
    EXPECT_THAT(keys(host(spec(), options())),
                UnorderedElementsAre("NetworkMode", "Init", "RestartPolicy", "CapDrop", "SecurityOpt",
                                     "Privileged", "PidsLimit", "NanoCpus", "Memory", "MemorySwap",
                                     "MemoryReservation", "Mounts", "LogConfig"));
    EXPECT_THAT(keys(create_body(spec(), options())),
                UnorderedElementsAre("Image", "Hostname", "Env", "Labels", "ExposedPorts", "StopTimeout",
                                     "HostConfig", "NetworkingConfig"));
}

TEST(CreateBody, BoundsWhatTheContainerMayUse) {
    const auto config = host(spec(), options());
    EXPECT_EQ(config.at("PidsLimit"), 300);
    EXPECT_EQ(config.at("NanoCpus"), 1'500'000'000);
    EXPECT_EQ(config.at("Memory"), 1024 * 1024 * 1024);
    EXPECT_EQ(config.at("MemorySwap"), config.at("Memory")) << "no swap on top";
    EXPECT_EQ(config.at("MemoryReservation"), 256 * 1024 * 1024);
    EXPECT_EQ(config.at("LogConfig").at("Config").at("max-size"), "10m");
    EXPECT_EQ(config.at("LogConfig").at("Config").at("max-file"), "3");
}

TEST(CreateBody, SaysNothingOfSharedMemoryAndUlimitsWhereTheyAreTheEnginesOwn) {
    auto with = spec();
    with.limits.shm_mb = 128;
    with.limits.ulimits = {{"nofile", 1024}};
    const auto config = host(with, options());
    EXPECT_EQ(config.at("ShmSize"), 128 * 1024 * 1024);
    const auto& ulimit = config.at("Ulimits").as_array().at(0);
    EXPECT_EQ(ulimit.at("Name"), "nofile");
    EXPECT_EQ(ulimit.at("Soft"), 1024);
    EXPECT_EQ(ulimit.at("Hard"), 1024);
    EXPECT_FALSE(host(spec(), options()).as_object().contains("ShmSize"));
    EXPECT_FALSE(host(spec(), options()).as_object().contains("Ulimits"));
}

TEST(CreateBody, WhatItAsksForIsWhatAnInspectionTells) {
    auto with = spec();
    with.limits.shm_mb = 128;
    with.limits.ulimits = {{"nofile", 1024}, {"nproc", 99}};
    json::object inspected{{"HostConfig", host(with, options())}};
    EXPECT_EQ(limits_from(inspected), with.limits);
    EXPECT_FALSE(limits_from({}));
}

TEST(CreateBody, MountsNamedVolumesOnly) {
    const auto mounts = host(spec(), options()).at("Mounts").as_array();
    ASSERT_EQ(mounts.size(), 2U);
    EXPECT_EQ(mounts[0],
              (json::object{{"Type", "volume"}, {"Source", "agentdb9-project-5"}, {"Target", "/workspace"}}));
    EXPECT_EQ(mounts[1].at("Type"), "volume");
    auto hostile = spec();
    hostile.mounts = {{"/var/run/docker.sock", "/workspace"}};
    // The engine refuses a volume of such a name; a bind it would not.
    EXPECT_EQ(host(hostile, options()).at("Mounts").at(0).at("Type"), "volume");
}

TEST(CreateBody, PutsItOnOurNetworkOnlyUnderTheChosenAddress) {
    const auto body = create_body(spec(), options());
    EXPECT_EQ(body.at("HostConfig").at("NetworkMode"), "net.work");
    EXPECT_EQ(body.at("NetworkingConfig").at("EndpointsConfig"),
              (json::object{
                  {"net.work", json::object{{"IPAMConfig", json::object{{"IPv4Address", "10.213.0.9"}}}}}}));
    auto chosen_by_engine = options();
    chosen_by_engine.address.reset();
    EXPECT_EQ(create_body(spec(), chosen_by_engine).at("NetworkingConfig").at("EndpointsConfig"),
              (json::object{{"net.work", json::object()}}));
}

TEST(CreateBody, PublishesOnAPortOfTheEnginesChoiceAndOnlyWhereAsked) {
    EXPECT_FALSE(host(spec(), options()).as_object().contains("PortBindings"));
    auto published = options();
    published.publish = true;
    published.publish_on = "127.0.0.1";
    EXPECT_EQ(
        host(spec(), published).at("PortBindings"),
        (json::object{{"8080/tcp", json::array{json::object{{"HostIp", "127.0.0.1"}, {"HostPort", ""}}}}}));
}

TEST(CreateBody, CarriesAllLabelsThatTheCatalogueCanBeRebuiltFrom) {
    EXPECT_EQ(create_body(spec(), options()).at("Labels"),
              (json::object{{"agentdb9.managed", "true"},
                            {"agentdb9.instance", kInstallation.view()},
                            {"agentdb9.workspace.id", "33333333-3333-4333-8333-333333333333"},
                            {"agentdb9.workspace.type", "vscode"},
                            {"agentdb9.user.id", "11111111-1111-4111-8111-111111111111"},
                            {"agentdb9.project.id", "55555555-5555-4555-8555-555555555555"},
                            {"agentdb9.generation", "7"},
                            {"agentdb9.spec", model::spec_hash(spec())}}));
}

TEST(CreateBody, GivesEnvironmentAndCommandAsTheyAre) {
    auto with_command = spec();
    EXPECT_EQ(create_body(with_command, options()).at("Env"),
              (json::array{"ODD=a=b \"c\"\n", "WORKSPACE_ID=33333333"}));
    EXPECT_FALSE(create_body(with_command, options()).contains("Cmd")) << "absent: the image's own";
    with_command.command.emplace();
    EXPECT_EQ(create_body(with_command, options()).at("Cmd"), json::array()) << "empty: none";
    with_command.command = {"--auth", "none"};
    EXPECT_EQ(create_body(with_command, options()).at("Cmd"), (json::array{"--auth", "none"}));
}

TEST(CreateBody, StartsAgainWithTheEngineUnlessItWasStopped) {
    EXPECT_EQ(host(spec(), options()).at("RestartPolicy").at("Name"), "unless-stopped");
}

TEST(VolumeBody, CarriesTheLabelsOfWhatItHolds) {
    const auto user = *base::UserId::parse("11111111-1111-4111-8111-111111111111");
    const auto project = *base::ProjectId::parse("55555555-5555-4555-8555-555555555555");
    const auto workspace = *base::WorkspaceId::parse("33333333-3333-4333-8333-333333333333");
    EXPECT_EQ(volume_body({.name = "v", .project_id = project, .workspace_id = {}, .user_id = user},
                          kInstallation, "local", {{"type", "nfs"}}),
              (json::object{{"Name", "v"},
                            {"Driver", "local"},
                            {"DriverOpts", json::object{{"type", "nfs"}}},
                            {"Labels", json::object{{"agentdb9.managed", "true"},
                                                    {"agentdb9.instance", kInstallation.view()},
                                                    {"agentdb9.user.id", user.view()},
                                                    {"agentdb9.project.id", project.view()}}}}));
    const auto home = volume_body({.name = "h", .project_id = {}, .workspace_id = workspace, .user_id = user},
                                  kInstallation, "local", {});
    EXPECT_EQ(home.at("Labels").at("agentdb9.workspace.id"), json::value(workspace.view()));
    EXPECT_FALSE(home.at("Labels").as_object().contains("agentdb9.project.id"));
}

}  // namespace
}  // namespace agentdb9::runtime::docker
