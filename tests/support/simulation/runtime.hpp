// runtime::Runtime of one installation on a SimulatedEngine: what its text promises, with the time that calls
// take and, where asked for, with everything that goes wrong between a server and its engine. One thread.
#pragma once

#include <memory>
#include <set>

#include "runtime/runtime.hpp"
#include "support/simulation/engine.hpp"

namespace agentdb9::test {

struct RuntimeFaults {
    double fails_before = 0;                   // a call ends with an error and did nothing
    double fails_after = 0;                    // a call ends with an error and did what it was asked to
    double slow = 0;                           // a call takes seconds
    double loses_event = 0;                    // an event is never told
    double dies_when_ready = 0;                // an application ends just after it has answered
    base::Duration late{0};                    // a call that is given up may have its effect this much later
    double breaks_stream = 0;                  // the event stream ends at an event
    std::set<std::string> unavailable_images;  // those that cannot be pulled either
};

class SimulatedRuntime : public runtime::Runtime {
  public:
    // All outlive this.
    SimulatedRuntime(SimulatedEngine& engine, SimulatedClock& clock, Random& random,
                     base::InstallationId installation, const RuntimeFaults& faults)
        : engine_(engine), clock_(clock), random_(random), installation_(installation), faults_(faults) {}

    Task<runtime::RuntimeInfo> info() override;
    Task<> prepare() override;
    Task<std::vector<model::Instance>> instances() override;
    Task<std::vector<model::Instance>> instances(base::WorkspaceId workspace) override;
    Task<std::vector<model::Instance>> instances_on_volume(std::string volume) override;
    Task<bool> has_image(std::string image) override;
    Task<bool> can_pull(std::string image) override;
    Task<> ensure_image(std::string image,
                        std::function<void(const runtime::PullProgress&)> progress) override;
    Task<std::optional<std::string>> image_id(std::string image) override;
    Task<> remove_image(std::string image) override;
    Task<std::string> create_instance(model::InstanceSpec spec, std::string name) override;
    Task<> start_instance(std::string id) override;
    Task<> stop_instance(std::string id, std::chrono::seconds grace) override;
    Task<> pause_instance(std::string id) override;
    Task<> resume_instance(std::string id) override;
    Task<std::optional<model::ResourceLimits>> instance_limits(std::string id) override;
    Task<runtime::LimitsUpdate> update_limits(std::string id, model::ResourceLimits limits) override;
    Task<> rename_instance(std::string id, std::string name) override;
    Task<> remove_instance(std::string id) override;
    Task<std::string> last_output(std::string id, int lines) override;
    Task<runtime::Volume> ensure_volume(runtime::VolumeSpec spec) override;
    Task<std::optional<runtime::Volume>> find_volume(std::string name) override;
    Task<std::vector<runtime::Volume>> volumes() override;
    Task<std::map<std::string, std::int64_t>> volume_sizes() override;
    Task<> remove_volume(std::string name) override;
    Task<runtime::ProbeOutcome> probe(model::Endpoint endpoint, std::optional<std::string> path,
                                      std::chrono::milliseconds limit) override;
    Task<> watch(runtime::EventSink& sink) override;

    // The process is gone: every call from now on ends as if cancelled and does nothing.
    void die() { dead_ = true; }
    // This server does not reach the engine, and reaches it again.
    void cut() {
        reachable_ = false;
        break_stream();
    }
    void mend() { reachable_ = true; }
    // Half of its calls take seconds.
    void drag(bool drags) { drags_ = drags; }
    // Ends the event stream; it comes back by itself.
    void break_stream();
    // It is told what happens on the engine, and what it missed it was told to look at.
    bool hears_events() const;
    // Called after the sink was told of an event.
    void on_told(std::function<void(const EngineEvent&)> callback) { told_ = std::move(callback); }
    // Called just before the engine changes something of a workspace's for this server; `given_up`: it does
    // not wait for it any more.
    void on_change(std::function<void(const base::WorkspaceId&, bool given_up)> callback) {
        changes_ = std::move(callback);
    }

  private:
    struct Stream;
    // One call: on its way, carried out, and its answer on the way back.
    template <class F>
    Task<std::invoke_result_t<F&>> call(base::Duration takes, F effect);
    template <class F>
    void carry_out_unheard(F& effect);
    void require_ours(const std::string& id);
    void tell_change(const base::WorkspaceId& workspace);
    void require_reachable() const;
    std::vector<model::Instance> list(const std::function<bool(const EngineInstance&)>& wanted);
    Task<> follow(runtime::EventSink& sink, std::shared_ptr<Stream> stream);

    SimulatedEngine& engine_;
    SimulatedClock& clock_;
    Random& random_;
    base::InstallationId installation_;
    const RuntimeFaults& faults_;
    bool dead_ = false;
    bool reachable_ = true;
    bool drags_ = false;
    bool unheard_ = false;  // the effect that runs now is nobody's to wait for
    std::weak_ptr<Stream> stream_;
    std::function<void(const EngineEvent&)> told_;
    std::function<void(const base::WorkspaceId&, bool)> changes_;
};

}  // namespace agentdb9::test
