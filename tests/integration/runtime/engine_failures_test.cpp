// Fails each call of making and starting an instance, one after the other, in every way, before and after it
// took effect; and tries again.
#include "engine_world.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using runtime::docker::DockerRuntime;
using Then = FakeReply::Then;

struct Way {
    const char* name;
    FakeReply reply;
};

const std::vector<Way>& ways() {
    static const std::vector<Way> all{
        {"500", refusal(500, "out of luck")},
        {"503", refusal(503, "the engine is shutting down")},
        {"closed", raw("")},
        {"cut in the head", raw("HTTP/1.1 200 OK\r\nContent-")},
        {"cut in the body", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Id\":")},
        {"cut in a chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{\"Id\":")},
        {"garbage", raw("\x16\x03\x01\x02")},
        {"no JSON", {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html"}},
        {"JSON of another shape", reply(200, json::array{nullptr})},
        {"silence", raw("", Then::kHold)},
    };
    return all;
}

Task<std::string> bring_up(DockerRuntime& runtime, model::InstanceSpec spec) {
    co_await runtime.prepare();
    co_await runtime.ensure_volume(
        {.name = "volume", .project_id = spec.project_id, .workspace_id = {}, .user_id = spec.user_id});
    const auto id = co_await runtime.create_instance(spec, model::instance_name(spec.workspace_id));
    co_await runtime.start_instance(id);
    co_return id;
}

TEST(EngineFailures, WhicheverCallFailsTheNextTryBringsUpTheOneInstance) {
    const auto installation = base::InstallationId::generate();
    std::size_t calls = 0;
    {
        EngineWorld world;
        DockerRuntime runtime(world.context.get_executor(), world.clock, installation,
                              {.host = world.engine.host()});
        world.run(bring_up(runtime, some_spec()));
        calls = world.engine.requests.size();
    }
    ASSERT_GE(calls, 6U) << "version, network, its making, addresses, volume, create, start";
    for (const bool took_effect : {false, true}) {
        for (const auto& way : ways()) {
            for (std::size_t n = 1; n <= calls; ++n) {
                SCOPED_TRACE(std::string(way.name) + (took_effect ? " after" : " before") + " call " +
                             std::to_string(n));
                EngineWorld world;
                auto& engine = world.engine;
                std::size_t seen = 0;
                std::string failed;
                auto& hook = took_effect ? engine.after : engine.script;
                hook = [&](const FakeRequest& request) -> std::optional<FakeReply> {
                    if (++seen != n) return std::nullopt;
                    failed = request.call();
                    return way.reply;
                };
                DockerRuntime runtime(world.context.get_executor(), world.clock, installation,
                                      {.host = engine.host()});
                const auto before = world.clock.elapsed();
                const auto word = world.word_of(bring_up(runtime, some_spec()));
                EXPECT_LE(world.clock.elapsed() - before, 95s);
                EXPECT_THAT(word,
                            testing::AnyOf("", "runtime_error", "runtime_unavailable", "runtime_timeout"))
                    << failed;
                ASSERT_FALSE(failed.empty());
                hook = nullptr;
                EXPECT_EQ(world.word_of(bring_up(runtime, some_spec())), "") << "after a failed " << failed;
                ASSERT_EQ(engine.containers.size(), 1U);
                const auto& container = engine.containers.begin()->second;
                EXPECT_EQ(container.state, "running");
                EXPECT_EQ(container.name, model::instance_name(some_spec().workspace_id));
                EXPECT_FALSE(container.actual_address.empty());
                EXPECT_EQ(container.actual_address, container.address) << "its address was chosen by us";
                EXPECT_EQ(engine.networks.size(), 1U);
            }
        }
    }
}

TEST(EngineFailures, LeaveNoDescriptorBehind) {
    const auto before = descriptors();
    for (int round = 0; round < 5; ++round) {
        for (const auto& way : ways()) {
            EngineWorld world;
            DockerRuntime runtime(world.context.get_executor(), world.clock, base::InstallationId::generate(),
                                  {.host = world.engine.host()});
            int seen = 0;
            world.engine.script = [&](const FakeRequest&) -> std::optional<FakeReply> {
                if (++seen % 3 != 0) return std::nullopt;
                return way.reply;
            };
            for (int i = 0; i < 3; ++i)
                world.word_of(bring_up(runtime, some_spec()));
        }
    }
    EXPECT_EQ(descriptors(), before);
}

TEST(EngineFailures, OthersAreServedWhileOneCallHangs) {
    EngineWorld world;
    DockerRuntime runtime(world.context.get_executor(), world.clock, base::InstallationId::generate(),
                          {.host = world.engine.host()});
    const auto id = world.run(bring_up(runtime, some_spec()));
    world.engine.script = [&](const FakeRequest& request) -> std::optional<FakeReply> {
        if (request.path.find("/stop") == std::string::npos) return std::nullopt;
        return raw("", Then::kHold);
    };
    std::string word;
    bool ended = false;
    asio::co_spawn(world.context, runtime.stop_instance(id, 10s), [&](std::exception_ptr error) {
        ended = true;
        try {
            if (error) std::rethrow_exception(error);
        } catch (const base::Error& failure) {
            word = failure.word();
        }
    });
    world.settle();
    const auto before = world.clock.elapsed();
    EXPECT_EQ(world.run(runtime.instances()).size(), 1U);
    EXPECT_EQ(world.clock.elapsed(), before);
    EXPECT_FALSE(ended);
    ASSERT_TRUE(drive(world.context, world.clock, [&] { return ended; }));
    EXPECT_EQ(word, "runtime_timeout");
    EXPECT_EQ(world.clock.elapsed() - before, 30s) << "the grace, and what the engine needs itself";
}

}  // namespace
}  // namespace agentdb9::test
