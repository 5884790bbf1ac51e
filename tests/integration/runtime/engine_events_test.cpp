// DockerRuntime::watch against streams that break, resume, repeat and lie.
#include <boost/asio/bind_cancellation_slot.hpp>

#include "engine_world.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using runtime::EventKind;
using runtime::docker::DockerRuntime;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Then = FakeReply::Then;

const base::InstallationId kInstallation = base::InstallationId::generate();
constexpr std::int64_t kAt = 1'700'000'000'000'000'000;

class Listener final : public runtime::EventSink {
  public:
    void on_connected() override { heard.push_back("connected"); }
    void on_event(const base::WorkspaceId&, const std::string& instance, EventKind kind) override {
        const char* word = kind == EventKind::kStarted   ? "started "
                           : kind == EventKind::kDied    ? "died "
                           : kind == EventKind::kRemoved ? "removed "
                                                         : "other ";
        heard.push_back(word + instance);
    }
    void on_disconnected() override { heard.push_back("disconnected"); }
    std::vector<std::string> take() { return std::exchange(heard, {}); }
    std::vector<std::string> heard;
};

class EngineEvents : public testing::Test, protected EngineWorld {
  protected:
    EngineEvents() {
        engine.script = [this](const FakeRequest& request) -> std::optional<FakeReply> {
            if (!request.path.starts_with("/events")) return std::nullopt;
            since = request.path.find("&since=") == std::string::npos
                        ? ""
                        : request.path.substr(request.path.find("&since=") + 7);
            ++asked;
            stream = request.connection;
            return events_answer ? *events_answer : chunked({}, Then::kHold);
        };
        asio::co_spawn(context, runtime.watch(listener),
                       asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr error) {
                           ended = true;
                           failure = error;
                       }));
        settle();
    }
    static std::string event(std::string_view action, std::string_view id, std::int64_t at,
                             const std::string& installation = kInstallation.str()) {
        static const auto workspace = base::WorkspaceId::generate();
        return json::serialize(json::object{
                   {"Type", "container"},
                   {"Action", action},
                   {"Actor",
                    json::object{{"ID", id},
                                 {"Attributes", json::object{{"agentdb9.workspace.id", workspace.view()},
                                                             {"agentdb9.instance", installation}}}}},
                   {"timeNano", at}}) +
               "\n";
    }
    void say(const std::string& text) {
        engine.send(stream, chunk(text));
        settle();
    }
    void pass(base::Duration time) {
        for (base::Duration passed{0}; passed < time; passed += 50ms) {
            clock.advance(50ms);
            settle();
        }
    }

    Listener listener;
    DockerRuntime runtime{context.get_executor(), clock, kInstallation, {.host = engine.host()}};
    asio::cancellation_signal stop;
    bool ended = false;
    std::exception_ptr failure;
    std::optional<FakeReply> events_answer;
    std::string since;
    int asked = 0;
    std::size_t stream = 0;
};

TEST_F(EngineEvents, TellsEachEventAtOnceAlsoTheFirstSmallOne) {
    EXPECT_THAT(listener.take(), ElementsAre("connected"));
    say(event("start", "a", kAt));
    EXPECT_THAT(listener.take(), ElementsAre("started a"));
    const auto two = event("die", "a", kAt + 1) + event("destroy", "a", kAt + 2);
    say(two.substr(0, 30));
    EXPECT_THAT(listener.take(), IsEmpty()) << "half a line";
    say(two.substr(30));
    EXPECT_THAT(listener.take(), ElementsAre("died a", "removed a"));
}

TEST_F(EngineEvents, TellsOnlyOfThisInstallationsContainersAndAdoptedOnes) {
    const auto& target = engine.requests.back().target;
    EXPECT_THAT(target, HasSubstr("container"));
    EXPECT_THAT(target, HasSubstr("agentdb9.managed%3Dtrue"));
    EXPECT_EQ(since, "") << "nothing was heard before";
    listener.take();
    say(event("start", "a", kAt, ""));
    say(event("start", "b", kAt + 1, base::InstallationId::generate().str()));
    EXPECT_THAT(listener.take(), IsEmpty());
    runtime.set_adopted({.volumes = {}, .instances = {{"a", 1}}});
    say(event("die", "a", kAt + 2, ""));
    say(event("die", "b", kAt + 3, ""));
    EXPECT_THAT(listener.take(), ElementsAre("died a"));
}

TEST_F(EngineEvents, ResumesWhereTheStreamBrokeAndTellsNothingTwice) {
    say(event("start", "a", kAt));
    listener.take();
    engine.close(stream);
    settle();
    EXPECT_THAT(listener.take(), ElementsAre("disconnected"));
    pass(200ms);
    EXPECT_THAT(listener.take(), ElementsAre("connected"));
    EXPECT_EQ(since, "1700000000.000000000");
    say(event("start", "a", kAt) + event("die", "a", kAt + 1));
    EXPECT_THAT(listener.take(), ElementsAre("died a"));
}

TEST_F(EngineEvents, ComesBackWhateverBreaksTheStream) {
    for (const auto& breaking : {std::string("zz\r\n"), std::string("5\r\nab"), chunk("")}) {
        listener.take();
        engine.send(stream, breaking);
        engine.close(stream);
        settle();
        EXPECT_THAT(listener.take(), ElementsAre("disconnected"));
        pass(200ms);
        EXPECT_THAT(listener.take(), ElementsAre("connected"));
    }
    EXPECT_EQ(asked, 4);
}

TEST_F(EngineEvents, TriesWithPausesWhileTheEngineIsDown) {
    listener.take();
    engine.stop();
    engine.close_all();
    pass(60s);
    EXPECT_THAT(listener.take(), ElementsAre("disconnected")) << "once, not at each try";
    engine.start();
    pass(2100ms);
    EXPECT_THAT(listener.take(), ElementsAre("connected"));
}

TEST_F(EngineEvents, IsNotConnectedByARefusal) {
    for (const auto& answer : {refusal(500, "no"), refusal(400, "client version 1.41 is too old"),
                               raw("HTTP/1.1 200 O"), raw("", Then::kHold)}) {
        events_answer = answer;
        engine.close(stream);
        settle();
        listener.take();
        const auto before = asked;
        pass(40s);
        EXPECT_THAT(listener.take(), Not(testing::Contains("connected")));
        EXPECT_GE(asked, before + 2) << "it goes on asking";
        EXPECT_LE(asked, before + 30) << "but not without pauses";
    }
    events_answer.reset();
    pass(20s);
    EXPECT_THAT(listener.take(), testing::Contains("connected"));
}

TEST_F(EngineEvents, FollowsAnEngineThatIsReplacedByAnotherVersion) {
    engine.api_version = "1.43";
    engine.close_all();
    pass(200ms);
    EXPECT_THAT(engine.requests.back().target, testing::StartsWith("/v1.43/events"));
}

TEST_F(EngineEvents, LivesThroughGarbageBetweenTheLines) {
    listener.take();
    say("\n{\n[]\nnull\n\xff\xfe\n" + event("die", "a", kAt) + "{\"Action\":");
    EXPECT_THAT(listener.take(), ElementsAre("died a"));
}

TEST_F(EngineEvents, EndsWhenCancelledAndLeavesNothing) {
    stop.emit(asio::cancellation_type::terminal);
    settle();
    ASSERT_TRUE(ended);
    EXPECT_TRUE(base::is_cancellation(failure));
    EXPECT_EQ(engine.open_connections(), 1U) << "the kept one of the negotiation; the stream is closed";
}

TEST_F(EngineEvents, EndsWhenCancelledDuringAPause) {
    engine.stop();
    engine.close_all();
    settle();
    stop.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_TRUE(ended);
}

TEST_F(EngineEvents, ARemovedInstancesAddressStaysBack) {
    const auto spec = some_spec();
    const auto first = run(runtime.create_instance(spec, "one"));
    const auto address = engine.containers.at(first).address;
    engine.containers.clear();
    say(event("destroy", first, kAt));
    std::set<std::string> given;
    for (int i = 0; i < 20; ++i) {
        const auto id = run(runtime.create_instance(spec, "n" + std::to_string(i)));
        EXPECT_TRUE(given.insert(engine.containers.at(id).address).second);
    }
    EXPECT_FALSE(given.contains(address));
}

}  // namespace
}  // namespace agentdb9::test
