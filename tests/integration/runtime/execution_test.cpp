// Commands on an engine that may refuse, break off, fall silent or talk nonsense at any step of them.
#include "engine_world.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using runtime::Execution;
using runtime::OutputStream;
using runtime::docker::DockerRuntime;
using testing::ElementsAre;
using testing::HasSubstr;
using Then = FakeReply::Then;

const std::string kHijacked =
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: "
    "Upgrade\r\nUpgrade: "
    "tcp\r\n\r\n";

std::string frame(char stream, std::string_view text) {
    std::string out{stream, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(text.size() >> shift);
    return out + std::string(text);
}

class ExecutionTest : public testing::Test, protected EngineWorld {
  protected:
    ExecutionTest() {
        run(runtime->prepare());
        id = run(runtime->create_instance(some_spec(), "name"));
        run(runtime->start_instance(id));
        engine.script = [this](const FakeRequest& request) { return say(request); };
    }
    std::optional<FakeReply> say(const FakeRequest& request) {
        const auto call = request.call();
        if (call == "POST /containers/" + id + "/exec") {
            bodies.push_back(request.body);
            return create;
        }
        if (call == "POST /exec/e1/start") return start;
        if (call == "GET /exec/e1/json") return inspect;
        return std::nullopt;
    }
    std::string begin(runtime::CommandSpec spec = {
                          .command = {"x"}, .directory = "/workspace", .environment = {}}) {
        return word_of(take(std::move(spec)));
    }
    Task<> take(runtime::CommandSpec spec) { execution = co_await runtime->execute(id, std::move(spec)); }
    std::string read(OutputStream stream = OutputStream::kStdout) {
        std::string all;
        std::array<char, 5> room{};
        for (;;) {
            const auto piece = run(execution->read(room));
            if (piece.size == 0) return all;
            if (piece.stream == stream) all.append(room.data(), piece.size);
        }
    }

    base::InstallationId installation = base::InstallationId::generate();
    std::unique_ptr<DockerRuntime> runtime = std::make_unique<DockerRuntime>(
        context.get_executor(), clock, installation,
        runtime::docker::DockerOptions{.host = engine.host(), .network = "net"});
    std::string id;
    FakeReply create = reply(201, json::object{{"Id", "e1"}});
    FakeReply start =
        raw(kHijacked + frame(1, "42\none ") + frame(2, "bad") + frame(1, "two"), Then::kFinish);
    FakeReply inspect = reply(200, json::object{{"Running", false}, {"ExitCode", 3}});
    std::vector<json::value> bodies;
    std::unique_ptr<Execution> execution;
};

TEST_F(ExecutionTest, KeepsTheStreamsApartBehindItsFirstLine) {
    EXPECT_EQ(begin(), "");
    EXPECT_EQ(read(), "one two");
    EXPECT_EQ(run(execution->exit_code()), 3);
    const auto& body = bodies.at(0).as_object();
    EXPECT_EQ(body.at("Tty"), false);
    EXPECT_FALSE(body.contains("User")) << "the image's";
    EXPECT_FALSE(body.contains("Privileged"));
    EXPECT_THAT(std::string(body.at("Env").as_array().at(0).as_string()), HasSubstr("AGENTDB9_EXECUTION="));
}

TEST_F(ExecutionTest, AnEngineThatAnswers200GoesOnWithBytesToo) {
    start =
        raw("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n" + frame(1, "42\nhi"),
            Then::kFinish);
    EXPECT_EQ(begin(), "");
    EXPECT_EQ(read(), "hi");
}

TEST_F(ExecutionTest, ATerminalHasNoFrames) {
    start = raw(kHijacked + "42\r\n\x01\x02 raw", Then::kFinish);
    EXPECT_EQ(begin({.command = {"x"},
                     .directory = "/",
                     .environment = {},
                     .terminal = runtime::TerminalSize{90, 30}}),
              "");
    EXPECT_EQ(read(), "\x01\x02 raw");
    EXPECT_THAT(engine.calls(), testing::Contains("POST /exec/e1/resize"));
}

TEST_F(ExecutionTest, ItsExitIsWaitedForAMoment) {
    int looks = 0;
    begin();
    engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.call() != "GET /exec/e1/json") return std::nullopt;
        return reply(200, json::object{{"Running", ++looks < 4},
                                       {"ExitCode", looks < 4 ? json::value(nullptr) : json::value(7)}});
    };
    EXPECT_EQ(run(execution->exit_code()), 7);
    EXPECT_EQ(looks, 4);
    inspect = reply(404);
    engine.script = [](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.call() == "GET /exec/e1/json") return refusal(404, "No such exec instance");
        return std::nullopt;
    };
    EXPECT_EQ(run(execution->exit_code()), std::nullopt) << "gone with its container";
    engine.script = [](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.call() == "GET /exec/e1/json") return reply(200, json::object{{"Running", true}});
        return std::nullopt;
    };
    EXPECT_EQ(word_of(execution->exit_code()), "runtime_unavailable") << "not for ever";
}

TEST_F(ExecutionTest, RefusalsAreToldApart) {
    create = refusal(409, "Container name is paused, unpause the container before exec");
    EXPECT_EQ(begin(), "instance_paused");
    create = refusal(409, "Container name is not running");
    EXPECT_EQ(begin(), "instance_not_running");
    create = refusal(404, "No such container: name");
    EXPECT_EQ(begin(), "instance_not_found");
    create = refusal(500, "something");
    EXPECT_EQ(begin(), "runtime_error");
    create = reply(201, json::array{});
    EXPECT_EQ(begin(), "runtime_error");
    create = reply(201, json::object{{"Id", "e1"}});
    start = refusal(409, "Container is not running");
    EXPECT_EQ(begin(), "instance_not_running");
    start = raw(kHijacked + frame(1, "cwd\n"), Then::kFinish);
    EXPECT_EQ(begin(), "invalid_field");
    start = raw(
        kHijacked + frame(1,
                          "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                          "\"/bin/sh\": stat /bin/sh: no such file or directory: unknown\r\n"),
        Then::kFinish);
    EXPECT_EQ(begin(), "no_shell");
    start = raw(kHijacked + frame(1, "OCI runtime exec failed: something else\r\n"), Then::kFinish);
    EXPECT_EQ(begin(), "runtime_error");
    start = raw(kHijacked, Then::kClose);
    EXPECT_EQ(begin(), "instance_not_running") << "it ended just then";
    EXPECT_EQ(word_of(runtime->execute("another", {.command = {"x"}, .directory = "/", .environment = {}})),
              "instance_not_found");
}

TEST_F(ExecutionTest, ABrokenOrSilentEngineIsTold) {
    start = raw("");
    EXPECT_EQ(begin(), "runtime_unavailable");
    start = raw("HTTP/1.1 1");
    EXPECT_EQ(begin(), "runtime_unavailable");
    start = raw("\1\2\3\r\n\r\n");
    EXPECT_EQ(begin(), "runtime_unavailable");
    start = raw("", Then::kHold);
    auto before = clock.elapsed();
    EXPECT_EQ(begin(), "runtime_timeout");
    EXPECT_LE(clock.elapsed() - before, 60s);
    // It is begun, and says nothing: it may begin yet, and is ended by its mark.
    start = raw(kHijacked, Then::kHold);
    before = clock.elapsed();
    bodies.clear();
    EXPECT_EQ(begin(), "runtime_timeout");
    EXPECT_LE(clock.elapsed() - before, 60s);
    ASSERT_EQ(bodies.size(), 2U);
    const auto mark = std::string(bodies[0].as_object().at("Env").as_array().at(0).as_string());
    EXPECT_THAT(json::serialize(bodies[1]), HasSubstr(mark));
    EXPECT_THAT(json::serialize(bodies[1]), HasSubstr("\"KILL\""));
}

TEST_F(ExecutionTest, IsNeverAskedForTwice) {
    start = raw("");
    begin();
    const auto calls = engine.calls();
    EXPECT_EQ(std::ranges::count(calls, "POST /exec/e1/start"), 1);
}

TEST_F(ExecutionTest, ItsEndIsAskedForByItsSessionAndItsMark) {
    begin();
    start = raw(kHijacked, Then::kFinish);
    run(execution->end(Execution::Force::kAsk));
    const auto words = json::serialize(bodies.at(1).as_object().at("Cmd"));
    EXPECT_THAT(words, HasSubstr("\"42\""));
    EXPECT_THAT(words, HasSubstr("\"TERM\""));
    EXPECT_FALSE(bodies.at(1).as_object().contains("Env")) << "or it would end itself";
    start = raw(kHijacked + frame(1, "OCI runtime exec failed: no more processes\r\n"), Then::kFinish);
    EXPECT_EQ(word_of(execution->end(Execution::Force::kKill)), "runtime_error");
}

}  // namespace
}  // namespace agentdb9::test
