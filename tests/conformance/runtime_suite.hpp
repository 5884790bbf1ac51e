// What every Runtime must do, whatever it runs on: the comments of runtime/runtime.hpp, held to. An
// implementation's test names itself and how to make a world of it:
//
//   INSTANTIATE_TEST_SUITE_P(Docker, RuntimeSuite, testing::Values(RuntimeCase{"docker", make}), case_name);
#pragma once

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/runtime.hpp"

namespace agentdb9::runtime {

// An engine, the runtime under test on it, and acts behind the runtime's back. One thread. What the test made
// goes with it.
class RuntimeWorld {
  public:
    virtual ~RuntimeWorld() = default;

    virtual Runtime& runtime() = 0;
    // Another server of the same installation, which remembers nothing; lives as long as the world.
    virtual Runtime& restarted() = 0;
    // A server of another installation on the same engine and network.
    virtual Runtime& of_another_installation() = 0;
    virtual asio::any_io_executor executor() = 0;
    // Goes on until `done`, for half a minute at most; false when it was not done by then.
    virtual bool go_on_until(const std::function<bool()>& done) = 0;
    // A few milliseconds.
    virtual void let_a_moment_pass() = 0;

    // An image that is there; it answers on port 8080 and knows the variables of images/testapp.
    virtual std::string image() = 0;
    // One that is not there and cannot be pulled.
    virtual std::string missing_image() = 0;

    // As an operator does with the engine's own tools.
    virtual void kill(const std::string& id) = 0;  // it ends and is not started again
    virtual void pause(const std::string& id) = 0;
    virtual void remove(const std::string& id) = 0;
    virtual void rename(const std::string& id, const std::string& name) = 0;
    // A volume without any label, and one with the label of another installation.
    virtual void make_volume(const std::string& name, bool of_another_installation) = 0;
    virtual bool has_volume(const std::string& name) = 0;
    virtual bool is_running(const std::string& id) = 0;
    // The connections to the engine break, as when it restarts; new ones are served.
    virtual void break_connections() = 0;
};

struct RuntimeCase {
    std::string name;
    std::function<std::unique_ptr<RuntimeWorld>()> make;
};
inline std::string case_name(const testing::TestParamInfo<RuntimeCase>& info) {
    return info.param.name;
}

// Keeps what watch() tells.
class Listener final : public EventSink {
  public:
    void on_connected() override { heard.push_back("connected"); }
    void on_event(const base::WorkspaceId& workspace, const std::string& instance, EventKind kind) override;
    void on_disconnected() override { heard.push_back("disconnected"); }
    bool has(const std::string& word) const;
    std::size_t count(const std::string& word) const;
    std::vector<std::string> heard;  // "started ID", "died ID", "removed ID", "other ID"
    std::set<std::string> workspaces;
};

class RuntimeSuite : public testing::TestWithParam<RuntimeCase> {
  protected:
    RuntimeSuite() : world_(GetParam().make()) {}
    ~RuntimeSuite() override;

    RuntimeWorld& world() { return *world_; }
    Runtime& runtime() { return world_->runtime(); }

    template <class T>
    T run(Task<T> task);
    // The word of the error that it throws; "" when it throws none.
    template <class T>
    std::string word_of(Task<T> task);
    base::ErrorCode last_code() const { return last_code_; }

    // A spec of this test's workspace, with its volume made.
    model::InstanceSpec spec(std::int64_t generation = 1);
    std::string name(const std::string& suffix = {}) const {
        return model::instance_name(workspace) + suffix;
    }
    std::string volume() const { return model::project_volume_name(project); }
    std::string create(const model::InstanceSpec& spec, const std::string& suffix = {});
    std::string create_started(std::int64_t generation = 1, const std::string& suffix = {});
    std::optional<model::Instance> find(const std::string& id);
    // Looks again and again, for half a minute at most.
    bool eventually(const std::function<bool()>& predicate);
    // Waits until the instance answers.
    bool becomes_ready(const std::string& id, const std::optional<std::string>& path);
    bool becomes(const std::string& id, model::InstanceState state);
    // Starts watch() on the listener and waits until it is connected.
    void watch(Runtime& watched);
    void stop_watching();

    base::WorkspaceId workspace = base::WorkspaceId::generate();
    base::UserId user = base::UserId::generate();
    base::ProjectId project = base::ProjectId::generate();
    Listener listener;

  private:
    std::unique_ptr<RuntimeWorld> world_;
    base::ErrorCode last_code_{};
    asio::cancellation_signal stop_;
    bool watching_ = false;
};

template <class T>
T RuntimeSuite::run(Task<T> task) {
    std::exception_ptr failure;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    // Outlives this call when it hangs.
    auto ended = std::make_shared<bool>(false);
    const auto wait = [&] {
        if (!world_->go_on_until([&] { return *ended; })) throw std::logic_error("it hangs");
        if (failure) std::rethrow_exception(failure);
    };
    if constexpr (std::is_void_v<T>) {
        asio::co_spawn(world_->executor(), std::move(task), [&failure, ended](std::exception_ptr error) {
            failure = error;
            *ended = true;
        });
        wait();
    } else {
        asio::co_spawn(world_->executor(), base::boxed(std::move(task)),
                       [&failure, &result, ended](std::exception_ptr error, std::optional<T> value) {
                           failure = error;
                           result = std::move(value);
                           *ended = true;
                       });
        wait();
        return std::move(*result);
    }
}

template <class T>
std::string RuntimeSuite::word_of(Task<T> task) {
    try {
        run(std::move(task));
        return {};
    } catch (const base::Error& error) {
        last_code_ = error.code();
        return error.word();
    }
}

}  // namespace agentdb9::runtime
