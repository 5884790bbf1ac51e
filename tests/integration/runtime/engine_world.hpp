// A fake engine and what is tested against it, on one thread and in virtual time.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "support/fake_engine.hpp"

namespace agentdb9::test {

struct EngineWorld {
    VirtualClock clock;  // outlives the coroutines that sleep on it
    asio::io_context context;
    FakeEngine engine{context, clock};

    template <class T>
    T run(Task<T> task) {
        return drive(context, clock, std::move(task));
    }
    // The word of the error that the task throws; "" when it throws none.
    template <class T>
    std::string word_of(Task<T> task) {
        try {
            run(std::move(task));
            return {};
        } catch (const base::Error& error) {
            last_code = error.code();
            last_message = error.message();
            return error.word();
        }
    }
    // All that can happen at this moment happens; no time passes.
    void settle() {
        do
            context.restart();
        while (context.poll() > 0);
    }

    base::ErrorCode last_code{};
    std::string last_message;
};

inline std::size_t descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

inline model::InstanceSpec some_spec(std::int64_t generation = 1) {
    static const auto workspace = base::WorkspaceId::generate();
    static const auto user = base::UserId::generate();
    static const auto project = base::ProjectId::generate();
    model::InstanceSpec spec{
        .workspace_id = workspace, .user_id = user, .project_id = project, .workspace_type = "test"};
    spec.generation = generation;
    spec.image = "agentdb9/testapp:local";
    spec.mounts = {{"volume", "/workspace"}};
    spec.port = 8080;
    return spec;
}

}  // namespace agentdb9::test
