// Start and switch as bare engine calls and through DockerRuntime, in alternating rounds.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <thread>

#include "base/log.hpp"
#include "engine_calls.hpp"
#include "runtime/docker/docker_runtime.hpp"

namespace agentdb9::bench {
namespace {

using Clock = std::chrono::steady_clock;
using runtime::docker::DockerRuntime;

constexpr auto kPause = std::chrono::milliseconds(2);  // between two knocks, on both sides
constexpr std::string_view kPath = "/healthz";
constexpr int kPort = 8080;

std::string engine_socket() {
    const char* host = std::getenv("DOCKER_HOST");
    const std::string text = host != nullptr && *host != '\0' ? host : "unix:///var/run/docker.sock";
    return text.starts_with("unix://") ? text.substr(7) : text;
}

double quantile(std::vector<double> values, double part) {
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

// A workspace with two projects, each with its volume.
struct Case {
    base::WorkspaceId workspace = base::WorkspaceId::generate();
    base::UserId user = base::UserId::generate();
    std::array<base::ProjectId, 2> projects{base::ProjectId::generate(), base::ProjectId::generate()};

    model::InstanceSpec spec(int generation) const {
        const auto& project = projects[static_cast<std::size_t>(generation - 1)];
        model::InstanceSpec spec{
            .workspace_id = workspace, .user_id = user, .project_id = project, .workspace_type = "bench"};
        spec.generation = generation;
        spec.image = "agentdb9/testapp:local";
        spec.mounts = {{model::project_volume_name(project), "/workspace"}};
        spec.port = kPort;
        return spec;
    }
    std::string name(int generation) const {
        return generation == 1 ? model::instance_name(workspace)
                               : model::instance_name(workspace, generation);
    }
};

struct Times {
    double create = 0, start = 0, ready = 0;  // of the first
    double whole_start = 0;
    double rename = 0, retire = 0;
    double whole_switch = 0;
};

// One side: the same acts, told in one of two ways.
class Side {
  public:
    virtual ~Side() = default;
    virtual std::string create(const Case& which, int generation) = 0;
    virtual void start(const std::string& id) = 0;
    virtual void await_ready(const Case& which, const std::string& id) = 0;
    virtual void rename(const std::string& id, const std::string& name) = 0;
    virtual void retire(const std::string& id) = 0;

    Times measure(const Case& which) {
        Times times;
        auto began = Clock::now();
        auto lap = [last = began]() mutable {
            const auto now = Clock::now();
            return std::chrono::duration<double, std::milli>(now - std::exchange(last, now)).count();
        };
        const auto whole = [&] {
            return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
        };
        const auto first = create(which, 1);
        times.create = lap();
        start(first);
        times.start = lap();
        await_ready(which, first);
        times.ready = lap();
        times.whole_start = whole();
        began = Clock::now();
        const auto second = create(which, 2);
        start(second);
        await_ready(which, second);
        lap();
        rename(first, model::instance_name(which.workspace, 1));
        rename(second, model::instance_name(which.workspace));
        times.rename = lap();
        retire(first);
        times.retire = lap();
        times.whole_switch = whole();
        retire(second);
        return times;
    }
};

class Bare final : public Side {
  public:
    Bare(base::InstallationId installation, std::string network, const std::string& part)
        : engine_(engine_socket()), installation_(installation), network_(std::move(network)) {
        const auto shown = json::parse(engine_.call("GET", "/networks/" + network_));
        const std::string subnet(shown.at("IPAM").at("Config").at(0).at("Subnet").as_string());
        prefix_ = subnet.substr(0, subnet.find('.', subnet.find('.') + 1)) + part;
    }

    std::string create(const Case& which, int generation) override {
        // The body is the same, so that the engine does the same; the addresses are not taken from the pool.
        address_ = prefix_ + std::to_string(next_++ % 250 + 1);
        const auto body = runtime::docker::create_body(which.spec(generation), {.installation = installation_,
                                                                                .network = network_,
                                                                                .address = address_,
                                                                                .publish = false,
                                                                                .publish_on = {}});
        const auto made =
            engine_.call("POST", "/containers/create?name=" + which.name(generation), json::serialize(body));
        return std::string(json::parse(made).at("Id").as_string());
    }
    void start(const std::string& id) override { engine_.call("POST", "/containers/" + id + "/start"); }
    void await_ready(const Case&, const std::string&) override {
        while (!answers(address_, kPort, kPath))
            std::this_thread::sleep_for(kPause);
    }
    void rename(const std::string& id, const std::string& name) override {
        engine_.call("POST", "/containers/" + id + "/rename?name=" + name);
    }
    void retire(const std::string& id) override {
        engine_.call("POST", "/containers/" + id + "/stop?t=5");
        engine_.call("DELETE", "/containers/" + id + "?force=true");
    }

  private:
    EngineCalls engine_;
    base::InstallationId installation_;
    std::string network_;
    std::string prefix_;
    std::string address_;  // of the last one that was made
    int next_ = 0;
};

class Through final : public Side {
  public:
    Through(asio::io_context& context, DockerRuntime& runtime) : context_(context), runtime_(runtime) {}

    std::string create(const Case& which, int generation) override {
        return run(runtime_.create_instance(which.spec(generation), which.name(generation)));
    }
    void start(const std::string& id) override { run(runtime_.start_instance(id)); }
    void await_ready(const Case& which, const std::string& id) override {
        run(become_ready(which.workspace, id));
    }
    void rename(const std::string& id, const std::string& name) override {
        run(runtime_.rename_instance(id, name));
    }
    void retire(const std::string& id) override {
        run(runtime_.stop_instance(id, std::chrono::seconds(5)));
        run(runtime_.remove_instance(id));
    }
    template <class T>
    T run(Task<T> task) {
        auto result = asio::co_spawn(context_, std::move(task), asio::use_future);
        context_.restart();
        context_.run();
        return result.get();
    }

  private:
    // As the reconciler does it: it looks after the start, for the address.
    Task<> become_ready(base::WorkspaceId workspace, std::string id) {
        model::Endpoint endpoint;
        for (const auto& instance : co_await runtime_.instances(workspace)) {
            if (instance.id == id) endpoint = model::endpoint_of(instance, kPort).value();
        }
        base::SystemClock clock;
        while (co_await runtime_.probe(endpoint, std::string(kPath)) != runtime::ProbeOutcome::kReady)
            co_await clock.sleep_for(kPause);
    }
    asio::io_context& context_;
    DockerRuntime& runtime_;
};

void print(const char* what, const std::vector<Times>& bare, const std::vector<Times>& through,
           double Times::* part) {
    std::vector<double> ours, theirs, differences;
    for (std::size_t i = 0; i < bare.size(); ++i) {
        theirs.push_back(bare[i].*part);
        ours.push_back(through[i].*part);
        differences.push_back(through[i].*part - bare[i].*part);
    }
    std::printf("%-9s %8.1f %8.1f   %8.1f %8.1f   %8.1f %8.1f   %8.1f\n", what, quantile(theirs, 0.25),
                quantile(theirs, 0.5), quantile(ours, 0.25), quantile(ours, 0.5),
                quantile(ours, 0.25) - quantile(theirs, 0.25), quantile(ours, 0.5) - quantile(theirs, 0.5),
                quantile(differences, 0.5));
}

int run(int rounds, bool control) {
    log::configure(log::Level::kError, log::Format::kHuman);
    asio::io_context context;
    base::SystemClock clock;
    const auto installation = base::InstallationId::generate();
    const auto network = "agentdb9-bench-" + std::to_string(::getpid());
    DockerRuntime runtime(context.get_executor(), clock, installation,
                          {.host = "unix://" + engine_socket(), .network = network});
    Through through(context, runtime);
    const auto clean_up = [&] {
        for (const auto& instance : through.run(runtime.instances()))
            through.run(runtime.remove_instance(instance.id));
        for (const auto& volume : through.run(runtime.volumes()))
            through.run(runtime.remove_volume(volume.name));
        EngineCalls(engine_socket()).call("DELETE", "/networks/" + network);
    };
    through.run(runtime.prepare());
    try {
        Bare bare(installation, network, ".254.");
        Bare again(installation, network, ".255.");
        Side& measured = control ? static_cast<Side&>(again) : through;
        std::vector<Times> bare_times, through_times;
        for (int round = 0; round <= rounds; ++round) {
            Times one, other;
            // Who comes first changes, as the machine is warmer for the second.
            for (int turn = 0; turn < 2; ++turn) {
                const Case which;
                for (const auto& project : which.projects) {
                    through.run(runtime.ensure_volume({.name = model::project_volume_name(project),
                                                       .project_id = project,
                                                       .workspace_id = {},
                                                       .user_id = which.user}));
                }
                if ((round + turn) % 2 == 0) {
                    one = bare.measure(which);
                } else {
                    other = measured.measure(which);
                }
            }
            if (round == 0) continue;  // warms up
            bare_times.push_back(one);
            through_times.push_back(other);
        }
        std::printf("%d rounds, milliseconds: lower quartile and median\n%-9s %17s   %17s   %17s   %8s\n",
                    rounds, "", "engine calls", control ? "the same again" : "DockerRuntime", "difference",
                    "paired");
        print("create", bare_times, through_times, &Times::create);
        print("start", bare_times, through_times, &Times::start);
        print("ready", bare_times, through_times, &Times::ready);
        print("= start", bare_times, through_times, &Times::whole_start);
        print("rename", bare_times, through_times, &Times::rename);
        print("retire", bare_times, through_times, &Times::retire);
        print("= switch", bare_times, through_times, &Times::whole_switch);
    } catch (...) {
        clean_up();
        throw;
    }
    clean_up();
    return 0;
}

}  // namespace
}  // namespace agentdb9::bench

int main(int argc, char** argv) {
    try {
        const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
        const bool control = argc > 2 && std::string_view(argv[2]) == "control";
        if (rounds < 1 || argc > 3 || (argc == 3 && !control)) {
            std::cerr << "usage: bench_lifecycle [rounds [control]]\n";
            return 2;
        }
        return agentdb9::bench::run(rounds, control);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}
