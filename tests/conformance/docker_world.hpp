// The engine of this machine, and DockerRuntime on it. What a process of these tests makes carries an
// installation id that begins with a mark and the process's number, so that a later run can remove what a
// crashed one left, and nothing else.
#pragma once

#include "conformance/runtime_suite.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "support/engine_relay.hpp"

namespace agentdb9::runtime {

class DockerWorld final : public RuntimeWorld {
  public:
    DockerWorld();
    ~DockerWorld() override;

    Runtime& runtime() override { return *runtime_; }
    Runtime& restarted() override;
    Runtime& of_another_installation() override;
    asio::any_io_executor executor() override { return context_.get_executor(); }
    bool go_on_until(const std::function<bool()>& done) override;
    void let_a_moment_pass() override;
    std::string image() override { return "agentdb9/testapp:local"; }
    // Nothing listens there, so that it is refused at once.
    std::string missing_image() override { return "127.0.0.1:1/agentdb9/missing:1"; }
    void kill(const std::string& id) override;
    void pause(const std::string& id) override;
    void remove(const std::string& id) override;
    void rename(const std::string& id, const std::string& name) override;
    void make_volume(const std::string& name, bool of_another_installation) override;
    bool has_volume(const std::string& name) override;
    bool is_running(const std::string& id) override;
    void break_connections() override { relay_.break_all(); }

    // The network of all worlds of this process, and one of this world's own.
    static std::string shared_network();
    std::string own_network();
    std::unique_ptr<docker::DockerRuntime> make_runtime(const base::InstallationId& installation,
                                                        const std::string& network,
                                                        docker::Reach reach = docker::Reach::kAuto,
                                                        bool reads_directories = true);
    const base::InstallationId& installation() const { return installation_; }
    // A call past the runtime; throws std::runtime_error unless it succeeds or, with `missing_is_fine`, 404.
    json::value engine(const std::string& method, const std::string& target,
                       std::optional<json::value> body = std::nullopt, bool missing_is_fine = false);
    // Runs a command in a container; its exit code and output.
    std::pair<int, std::string> execute(const std::string& id, const std::vector<std::string>& command);

    // Removes what processes that do not run any more left behind and, with `own`, what this one made.
    static void sweep(bool own);

  private:
    template <class T>
    T run(Task<T> task);
    void remove_all_of(const std::function<bool(std::string_view installation)>& whose);

    asio::io_context context_;
    base::SystemClock clock_;
    test::EngineRelay relay_;
    docker::EngineClient engine_;
    base::InstallationId installation_;
    base::InstallationId other_;
    std::vector<std::unique_ptr<docker::DockerRuntime>> runtimes_;
    docker::DockerRuntime* runtime_ = nullptr;
};

}  // namespace agentdb9::runtime
