// A container engine in memory, shared by several installations and by the people at its command line. What
// it is told happens at once; how long a call takes and whether it arrives is SimulatedRuntime's affair.
// Refusals are the errors of runtime/runtime.hpp. One thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/runtime.hpp"
#include "support/simulation/clock.hpp"
#include "support/simulation/random.hpp"

namespace agentdb9::test {

struct EngineInstance {
    model::Instance instance;
    base::InstallationId installation;
    model::InstanceSpec spec;
    std::optional<base::SteadyTime> ready_at;  // from when on the application answers; absent: never
    std::optional<base::SteadyTime> died_at;   // the last time
    std::int64_t starts = 0;
    bool ill = false;     // it answered once, and does not any more
    bool cursed = false;  // it falls ill again some moments after each start
    std::uint64_t memory_in_use_bytes = 0;
};

struct EngineVolume {
    runtime::Volume volume;  // `ours` is for the one who asks to say
    base::InstallationId installation;
    std::int64_t birth = 0;         // no two volumes ever have the same, also not under one name
    std::set<std::string> written;  // the instances that ran on it: its contents
    std::int64_t bytes = 0;
};

struct EngineEvent {
    base::InstallationId installation;
    base::WorkspaceId workspace;
    std::string instance;
    runtime::EventKind kind;
    runtime::Death death;  // of kDied
};

class SimulatedEngine {
  public:
    // What the simulation's judge looks at.
    struct Hooks {
        std::function<void(const EngineInstance&)> went_live;     // it holds its volumes from now on
        std::function<void(const EngineVolume&)> volume_removed;  // just before it
        std::function<void(std::string)> note;                    // for the trace
    };

    SimulatedEngine(SimulatedClock& clock, Random& random) : clock_(clock), random_(random) {}
    void set_hooks(Hooks hooks) { hooks_ = std::move(hooks); }

    // What an installation may ask for.
    std::string create(const base::InstallationId& installation, const model::InstanceSpec& spec,
                       const std::string& name);
    void start(const std::string& id);
    void stop(const std::string& id);
    void resume(const std::string& id);
    void rename(const std::string& id, const std::string& name);
    // What an instance can be given while it runs; what it uses, where that is more than it would have.
    std::optional<std::uint64_t> update_limits(const std::string& id, const model::ResourceLimits& limits);
    void remove(const std::string& id);
    runtime::Volume make_volume(const base::InstallationId& installation, const runtime::VolumeSpec& spec);
    void remove_volume(const base::InstallationId& installation, const std::string& name);
    // The instance whose application answers there; empty when none does.
    std::string answering(const model::Endpoint& endpoint) const;

    // What happens by itself, or by somebody else's hand.
    void die(const std::string& id,
             bool restarts);  // the application ends; the restart policy may bring it back
    void pause(const std::string& id);
    // Its application answers no more, until it is started anew; what its image's check says of it.
    void fall_ill(const std::string& id);
    void set_health(const std::string& id, model::InstanceHealth health);
    void begin_removal(const std::string& id, base::Duration takes);
    // The engine itself is restarted: what ran dies and is brought back, or not.
    void restart_engine();
    void set_away(bool away) { away_ = away; }
    bool away() const { return away_; }

    std::map<std::string, EngineInstance>& instances() { return instances_; }
    std::map<std::string, EngineVolume>& volumes() { return volumes_; }
    std::set<std::string>& images() { return images_; }
    EngineInstance* find(const std::string& id);
    // How likely an application that is started never becomes ready.
    void set_never_ready(double probability) { never_ready_ = probability; }

    // Events in the order in which they happen. Returns what unsubscribes.
    std::uint64_t subscribe(std::function<void(const EngineEvent&)> subscriber);
    void unsubscribe(std::uint64_t subscription) { subscribers_.erase(subscription); }

  private:
    // One that is cursed falls ill some moments from now, unless it was started anew by then.
    void await_illness(const EngineInstance& which);
    EngineInstance& require(const std::string& id);
    void go_live(EngineInstance& which, model::InstanceState state);
    void emit(const EngineInstance& which, runtime::EventKind kind);
    void emit_death(const EngineInstance& which, bool asked);
    void note(const EngineInstance& which, std::string what) const;

    SimulatedClock& clock_;
    Random& random_;
    Hooks hooks_;
    bool away_ = false;
    double never_ready_ = 0;
    std::int64_t made_ = 0;
    std::uint64_t subscriptions_ = 0;
    std::map<std::string, EngineInstance> instances_;
    std::map<std::string, EngineVolume> volumes_;
    std::set<std::string> images_;
    std::map<std::uint64_t, std::function<void(const EngineEvent&)>> subscribers_;
};

}  // namespace agentdb9::test
