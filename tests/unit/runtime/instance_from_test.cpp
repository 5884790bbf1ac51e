#include <gmock/gmock.h>

#include "runtime/docker/objects.hpp"

namespace agentdb9::runtime::docker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto kInstallation = *base::InstallationId::parse("99999999-9999-4999-8999-999999999999");

json::object entry() {
    return json::parse(R"({
        "Id": "c1", "Names": ["/agentdb9-workspace-3"], "Image": "agentdb9/vscode:local", "State": "running",
        "Created": 1700000000,
        "Labels": {"agentdb9.managed": "true", "agentdb9.instance": "99999999-9999-4999-8999-999999999999",
                   "agentdb9.workspace.id": "33333333-3333-4333-8333-333333333333",
                   "agentdb9.user.id": "11111111-1111-4111-8111-111111111111",
                   "agentdb9.project.id": "55555555-5555-4555-8555-555555555555",
                   "agentdb9.generation": "7", "agentdb9.spec": "abc"},
        "NetworkSettings": {"Networks": {
            "net": {"IPAMConfig": {"IPv4Address": "10.213.0.9"}, "IPAddress": "10.213.0.9"},
            "other": {"IPAddress": "172.17.0.2"}}},
        "Ports": [{"PrivatePort": 8080, "PublicPort": 32768, "Type": "tcp"}, {"PrivatePort": 9000, "Type": "tcp"}],
        "Mounts": [{"Type": "volume", "Name": "agentdb9-project-5"}, {"Type": "bind", "Source": "/etc"}]
    })")
        .as_object();
}

std::optional<model::Instance> read(const json::object& entry) {
    return instance_from(entry, "net", "127.0.0.1");
}

json::object with_label(std::string_view label, json::value value) {
    auto changed = entry();
    changed["Labels"].as_object()[label] = std::move(value);
    return changed;
}

TEST(InstanceFrom, ReadsWhatTheImagesOwnCheckSays) {
    const auto health = [](json::value status) {
        auto changed = entry();
        changed["Status"] = std::move(status);
        return read(changed)->health;
    };
    EXPECT_EQ(read(entry())->health, model::InstanceHealth::kNone);
    EXPECT_EQ(health("Up 2 minutes"), model::InstanceHealth::kNone);
    EXPECT_EQ(health("Up 2 minutes (healthy)"), model::InstanceHealth::kHealthy);
    EXPECT_EQ(health("Up 2 minutes (unhealthy)"), model::InstanceHealth::kUnhealthy);
    EXPECT_EQ(health("Up 2 seconds (health: starting)"), model::InstanceHealth::kStarting);
    EXPECT_EQ(health(7), model::InstanceHealth::kNone);
}

TEST(InstanceFrom, ReadsAllThatTheEngineShows) {
    const auto instance = read(entry());
    ASSERT_TRUE(instance);
    EXPECT_EQ(instance->id, "c1");
    EXPECT_EQ(instance->name, "agentdb9-workspace-3");
    EXPECT_EQ(instance->workspace_id.view(), "33333333-3333-4333-8333-333333333333");
    EXPECT_EQ(instance->user_id->view(), "11111111-1111-4111-8111-111111111111");
    EXPECT_EQ(instance->project_id->view(), "55555555-5555-4555-8555-555555555555");
    EXPECT_EQ(instance->generation, 7);
    EXPECT_EQ(instance->spec, "abc");
    EXPECT_EQ(instance->image, "agentdb9/vscode:local");
    EXPECT_EQ(instance->state, model::InstanceState::kRunning);
    EXPECT_EQ(instance->address, "10.213.0.9") << "the one on our network";
    EXPECT_EQ(instance->published, (std::map<int, model::Endpoint>{{8080, {"127.0.0.1", 32768}}}));
    EXPECT_THAT(instance->volumes, ElementsAre("agentdb9-project-5"));
    EXPECT_EQ(base::format_time(*instance->created_at), "2023-11-14T22:13:20.000Z");
}

TEST(InstanceFrom, KnowsEachState) {
    using State = model::InstanceState;
    const std::map<std::string, State> states{
        {"created", State::kCreated}, {"running", State::kRunning},
        {"paused", State::kPaused},   {"restarting", State::kRestarting},
        {"exited", State::kExited},   {"removing", State::kRemoving},
        {"dead", State::kDead}};
    for (const auto& [word, state] : states) {
        auto changed = entry();
        changed["State"] = word;
        EXPECT_EQ(read(changed)->state, state) << word;
    }
}

TEST(InstanceFrom, IsAbsentWithoutAWorkspaceOrAGeneration) {
    EXPECT_FALSE(read({}));
    EXPECT_FALSE(read({{"Id", "c1"}, {"Labels", nullptr}}));
    for (const json::value& damaged :
         {json::value("not an id"), json::value(""), json::value(7), json::value()})
        EXPECT_FALSE(read(with_label("agentdb9.workspace.id", damaged))) << damaged;
    for (const json::value& damaged : {json::value("7x"), json::value(""), json::value(" 7"),
                                       json::value("99999999999999999999"), json::value(7), json::value()})
        EXPECT_FALSE(read(with_label("agentdb9.generation", damaged))) << damaged;
    auto nameless = entry();
    nameless.erase("Id");
    EXPECT_FALSE(read(nameless));
}

TEST(InstanceFrom, LivesWithoutTheLabelsThatItCanDoWithout) {
    EXPECT_EQ(read(with_label("agentdb9.user.id", "damaged"))->user_id, std::nullopt);
    EXPECT_EQ(read(with_label("agentdb9.project.id", "damaged"))->project_id, std::nullopt);
    EXPECT_EQ(read(with_label("agentdb9.spec", nullptr))->spec, "");
}

TEST(InstanceFrom, SurvivesFieldsOfAnotherShape) {
    for (const auto* field : {"Names", "Image", "State", "Created", "NetworkSettings", "Ports", "Mounts"}) {
        for (const json::value& odd :
             {json::value(), json::value(1), json::value(""), json::value(json::array{nullptr, 1, ""}),
              json::value(json::array{json::object{}}), json::value(json::object{})}) {
            auto changed = entry();
            changed[field] = odd;
            EXPECT_TRUE(read(changed)) << field << " " << odd;
        }
        auto without = entry();
        without.erase(field);
        EXPECT_TRUE(read(without)) << field;
    }
}

TEST(InstanceFrom, TakesNoLinkOfSomebodyElsesContainerForItsName) {
    auto linked = entry();
    linked["Names"] = json::array{"/other/alias", "/agentdb9-workspace-3"};
    EXPECT_EQ(read(linked)->name, "agentdb9-workspace-3");
}

TEST(HeldAddress, IsAlsoThatOfAStoppedContainer) {
    auto stopped = entry();
    auto& networks = stopped["NetworkSettings"].at("Networks").as_object();
    networks["net"].as_object()["IPAddress"] = "";
    EXPECT_EQ(read(stopped)->address, std::nullopt) << "it has none while it does not run";
    EXPECT_EQ(held_address(stopped, "net"), "10.213.0.9") << "but nobody else may have it";
    networks["net"].as_object()["IPAMConfig"] = nullptr;
    EXPECT_EQ(held_address(stopped, "net"), std::nullopt);
    EXPECT_EQ(held_address(stopped, "none"), std::nullopt);
    EXPECT_EQ(held_address(entry(), "net"), "10.213.0.9");
}

TEST(VolumeFrom, SaysWhoseItIs) {
    const auto read = [](std::string_view text) {
        return volume_from(json::parse(json::string_view(text.data(), text.size())).as_object(),
                           kInstallation);
    };
    const auto ours = read(R"({"Name":"v","Mountpoint":"/var/v","CreatedAt":"2026-01-02T03:04:05Z",
        "Labels":{"agentdb9.instance":"99999999-9999-4999-8999-999999999999",
                  "agentdb9.project.id":"55555555-5555-4555-8555-555555555555"}})");
    EXPECT_TRUE(ours.ours);
    EXPECT_EQ(ours.name, "v");
    EXPECT_EQ(ours.path, "/var/v");
    EXPECT_EQ(ours.project_id->view(), "55555555-5555-4555-8555-555555555555");
    EXPECT_EQ(base::format_time(*ours.created_at), "2026-01-02T03:04:05.000Z");
    EXPECT_FALSE(read(R"({"Name":"v","Labels":null})").ours);
    EXPECT_FALSE(read(R"({"Name":"v"})").ours);
    EXPECT_FALSE(read(R"({"Name":"v","Labels":{"agentdb9.managed":"true"}})").ours);
    EXPECT_FALSE(
        read(R"({"Name":"v","Labels":{"agentdb9.instance":"00000000-0000-4000-8000-000000000000"}})").ours);
    EXPECT_EQ(read(R"({"Name":"v","CreatedAt":"yesterday"})").created_at, std::nullopt);
}

}  // namespace
}  // namespace agentdb9::runtime::docker
