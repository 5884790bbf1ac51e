// A workspace on a simulated engine, whose output and use a test decides.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "services/log_reader.hpp"
#include "services/workspace_container_service.hpp"
#include "services/workspaces_service.hpp"
#include "support/simulation/runtime.hpp"
#include "unit/services/fixture.hpp"

namespace agentdb9::services {

inline constexpr std::int64_t kSecond = 1'000'000'000;

// Prints what it is told to, as an engine keeps it: instance by instance.
class ScriptedMonitoring final : public runtime::Monitoring {
  public:
    ScriptedMonitoring(asio::any_io_executor executor, base::Clock& clock)
        : clock_(clock), printed_(std::move(executor)) {}

    Task<> read_output(std::string id, runtime::OutputQuery query, runtime::OutputSink& sink) override {
        if (away) throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It is away.");
        ++(query.follow ? follows : reads);
        const auto cut = cuts_;
        std::size_t next = 0;
        const auto& log = logs[id];
        if (query.tail) next = log.size() - std::min(log.size(), static_cast<std::size_t>(*query.tail));
        std::optional<Open> counted;
        if (query.follow) counted.emplace(open);
        for (;;) {
            for (; next < log.size(); ++next) {
                if (query.since_ns && log[next].at_ns < *query.since_ns) continue;
                sink.on_line(log[next]);
                // Now and then, as pieces of a stream come.
                if (next % 100 == 99) co_await sink.pause();
            }
            co_await sink.pause();
            if (next < log.size()) continue;
            if (!query.follow || ended.contains(id)) co_return;
            if (cut != cuts_)
                throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It broke off.");
            co_await printed_.wait();
        }
    }
    Task<std::optional<runtime::Usage>> usage(std::string) override { co_return std::nullopt; }
    Task<std::optional<model::UseCounters>> counters(std::string id) override {
        if (away) throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It is away.");
        auto now = used[id];
        now.at = clock_.now();
        co_return now;
    }
    // A sample a second; the first after one.
    Task<> follow_usage(std::string id, runtime::UsageSink& sink) override {
        if (away) throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It is away.");
        ++follows;
        const Open counted(open);
        while (!ended.contains(id)) {
            co_await clock_.sleep_for(std::chrono::seconds(1));
            if (away) throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It is away.");
            if (!ended.contains(id)) sink.on_usage({.pids = ++samples});
        }
    }

    void print(const std::string& id, std::string text, std::optional<std::int64_t> at = std::nullopt) {
        if (!at) at = (now_ += 1000);
        logs[id].push_back({.at_ns = *at, .text = std::move(text)});
        printed_.notify_all();
    }
    void end(const std::string& id) {
        ended.insert(id);
        printed_.notify_all();
    }
    void cut() {
        ++cuts_;
        printed_.notify_all();
    }

    std::map<std::string, std::deque<runtime::OutputLine>> logs;
    std::set<std::string> ended;
    std::map<std::string, model::UseCounters> used;
    bool away = false;
    int follows = 0;
    int reads = 0;
    int open = 0;
    std::uint64_t samples = 0;

  private:
    struct Open {
        explicit Open(int& of) : count(of) { ++count; }
        Open(const Open&) = delete;
        ~Open() { --count; }
        int& count;
    };

    base::Clock& clock_;
    base::Signal printed_;
    int cuts_ = 0;
    std::int64_t now_ = 1000 * kSecond;
};

class MonitoredWorkspace : public ServicesTest {
  protected:
    explicit MonitoredWorkspace(std::vector<model::WorkspaceType> types = model::built_in_types())
        : catalogue_(std::move(types)) {
        routes_.set_publisher([](auto) -> Task<> { co_return; });
        for (const auto& type : catalogue_.all())
            engine_.images().insert(type.container_image);
        add_user(user_, "ada");
        run(reconciler_.start());
        workspace_ = run(workspaces_.create(user_, {.type = "spreadsheet"})).id;
        start();
    }
    ~MonitoredWorkspace() override { run(reconciler_.stop()); }

    void add_user(const base::UserId& id, const std::string& name) {
        write([id, name](store::Transaction& tx) {
            model::User row{.id = id};
            row.email = name + "@example.test";
            row.username = name;
            tx.users().insert(row);
        });
    }
    void start() {
        run(containers_.start_workspace(user_, workspace_, {}));
        instance_ = routes_.serving(workspace_);
    }

    test::Random random_{1};
    test::SimulatedEngine engine_{clock_, random_};
    test::RuntimeFaults faults_;
    test::SimulatedRuntime runtime_{engine_, clock_, random_, base::InstallationId::generate(), faults_};
    model::Catalogue catalogue_;
    RouteBook routes_{catalogue_};
    Reconciler reconciler_{loop_.executor(), clock_, *store_, runtime_, catalogue_, routes_, {}};
    WorkspaceContainerService containers_{clock_, *store_, runtime_, reconciler_, routes_, catalogue_};
    WorkspacesService workspaces_{clock_, *store_, routes_, catalogue_};
    ScriptedMonitoring monitoring_{loop_.executor(), clock_};
    InstanceFinder finder_{clock_, *store_, runtime_, routes_};
    LogReader reader_{loop_.executor(), clock_, monitoring_, finder_};
    base::UserId user_ = base::UserId::generate();
    base::WorkspaceId workspace_ = base::WorkspaceId::generate();
    std::string instance_;
};

}  // namespace agentdb9::services
