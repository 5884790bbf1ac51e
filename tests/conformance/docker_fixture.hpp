// One DockerRuntime on the engine, for what only Docker has.
#pragma once

#include "conformance/docker_world.hpp"

namespace agentdb9::runtime {

class DockerFixture : public testing::Test {
  protected:
    template <class T>
    T run(Task<T> task) {
        std::exception_ptr failure;
        std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
        bool ended = false;
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(world.executor(), std::move(task), [&](std::exception_ptr error) {
                failure = error;
                ended = true;
            });
        } else {
            asio::co_spawn(world.executor(), base::boxed(std::move(task)),
                           [&](std::exception_ptr error, std::optional<T> value) {
                               failure = error;
                               result = std::move(value);
                               ended = true;
                           });
        }
        if (!world.go_on_until([&] { return ended; }))
            std::abort();  // each call has a lower limit of its own
        if (failure) std::rethrow_exception(failure);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }

    // A started instance of a workspace of its own, ready.
    model::Instance start(Runtime& runtime, std::map<std::string, std::string> env = {}) {
        model::InstanceSpec spec{.workspace_id = base::WorkspaceId::generate(),
                                 .user_id = base::UserId::generate(),
                                 .project_id = base::ProjectId::generate(),
                                 .workspace_type = "test"};
        const auto volume = model::project_volume_name(spec.project_id);
        spec.generation = 1;
        spec.image = world.image();
        spec.env = std::move(env);
        spec.mounts = {{volume, "/workspace"}};
        spec.limits = {.cpus = 0.5, .memory_mb = 96, .memory_reservation_mb = 32, .pids = 40};
        spec.port = 8080;
        run(runtime.ensure_volume(
            {.name = volume, .project_id = spec.project_id, .workspace_id = {}, .user_id = spec.user_id}));
        const auto id = run(runtime.create_instance(spec, model::instance_name(spec.workspace_id)));
        run(runtime.start_instance(id));
        return await_ready(runtime, spec.workspace_id);
    }
    model::Instance await_ready(Runtime& runtime, const base::WorkspaceId& workspace) {
        for (int looks = 0; looks < 3000; ++looks) {
            const auto instances = run(runtime.instances(workspace));
            const auto endpoint =
                instances.empty() ? std::nullopt : model::endpoint_of(instances.front(), 8080);
            if (endpoint &&
                run(runtime.probe(*endpoint, "/healthz", std::chrono::seconds(1))) == ProbeOutcome::kReady)
                return instances.front();
            world.let_a_moment_pass();
        }
        throw std::runtime_error("the application never answered");
    }
    // Its exit code.
    int runs(const std::string& id, const std::vector<std::string>& command) {
        return world.execute(id, command).first;
    }
    std::string output(const std::string& id, const std::vector<std::string>& command) {
        return world.execute(id, command).second;
    }

    DockerWorld world;
};

}  // namespace agentdb9::runtime
