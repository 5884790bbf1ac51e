// What runs instances and keeps volumes, in the workspaces' words. Two implementations: docker::DockerRuntime
// and, in the tests, a simulated one; one conformance suite holds both to this text.
//
// Every call is idempotent in the sense given, runs on the control executor, has its own deadline, and throws
// base::Error:
//   kUnavailable "runtime_unavailable"  the engine does not answer; nothing is known of the call's effect
//   kTimeout     "runtime_timeout"      it did not answer in time; nothing is known of the call's effect
//   kConflict    …                      it refused, and would again until something else changes
//   kNotFound    …                      the named object is not there
//   kUpstream    "runtime_error"        it failed; internal() has its words
// Only objects that carry this installation's label are ever listed, changed or removed: the id of any other
// instance is that of one that is not there.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/ids.hpp"
#include "model/instance.hpp"
#include "model/workspace_type.hpp"

namespace agentdb9::runtime {

struct RuntimeInfo {
    std::string name;                  // "docker"
    std::string version;               // of the engine
    std::string api_version;           // negotiated
    bool isolates_workspaces = false;  // workspaces cannot reach one another over the network
};

struct VolumeSpec {
    std::string name;
    std::optional<base::ProjectId> project_id;      // of a project's volume
    std::optional<base::WorkspaceId> workspace_id;  // of a home
    base::UserId user_id;
};

struct Volume {
    std::string name;
    std::string path;  // as the engine reports it
    std::optional<base::ProjectId> project_id;
    std::optional<base::WorkspaceId> workspace_id;
    std::optional<base::UserId> user_id;
    std::optional<base::Time> created_at;
    bool ours = false;  // carries this installation's label
};

struct PullProgress {
    std::string status;          // the engine's word for what it is doing
    std::optional<int> percent;  // over all layers seen so far
};

enum class ProbeOutcome { kReady, kNotYet };

struct LimitsUpdate {
    // It uses so much, and so was not given less.
    std::optional<std::uint64_t> memory_in_use_bytes;
};

enum class EventKind { kStarted, kDied, kRemoved, kOther };

// How an instance came to its end.
struct Death {
    std::optional<int> exit_code;
    bool out_of_memory = false;  // the kernel ended something of it for want of memory
    bool asked = false;          // somebody asked the engine to end it
    std::int64_t at_ns = 0;      // since 1970, by the engine's clock: the same to whoever hears of it
    friend bool operator==(const Death&, const Death&) = default;
};

// Called by watch() on the control executor; must not block.
class EventSink {
  public:
    virtual ~EventSink() = default;
    // The stream stands: whatever happened before is not reported, so look at everything again.
    virtual void on_connected() = 0;
    virtual void on_event(const base::WorkspaceId& workspace, const std::string& instance,
                          EventKind kind) = 0;
    // Told just before the event kDied of the same instance.
    virtual void on_death(const base::WorkspaceId& /*workspace*/, const std::string& /*instance*/,
                          const Death& /*death*/) {}
    // The stream is lost: what is known of addresses may be stale from now on.
    virtual void on_disconnected() = 0;
};

class Runtime {
  public:
    virtual ~Runtime() = default;

    virtual Task<RuntimeInfo> info() = 0;
    // Makes what all instances need (the network). Does nothing when it is there.
    virtual Task<> prepare() = 0;

    // All instances of this installation, or of one workspace; in any state.
    virtual Task<std::vector<model::Instance>> instances() = 0;
    virtual Task<std::vector<model::Instance>> instances(base::WorkspaceId workspace) = 0;
    // Instances of any workspace of this installation that mount the volume; in any state.
    virtual Task<std::vector<model::Instance>> instances_on_volume(std::string volume) = 0;

    virtual Task<bool> has_image(std::string image) = 0;
    // Does a registry offer it? False also when none tells.
    virtual Task<bool> can_pull(std::string image) = 0;
    // Pulls the image unless it is there. kConflict "image_unavailable" when it can be had from nowhere.
    virtual Task<> ensure_image(std::string image, std::function<void(const PullProgress&)> progress) = 0;
    // What the name leads to just now; absent when it is not there.
    virtual Task<std::optional<std::string>> image_id(std::string image) = 0;
    // Takes the name away, and with its last name the image. Not there: success. Used by anybody's container,
    // running or not: kConflict "image_in_use".
    virtual Task<> remove_image(std::string image) = 0;

    // Makes an instance under `name`, not started, and returns its id. When this workspace already has one of
    // that name, generation and spec, in any state but on its way out, that one is returned; any other holder
    // of the name: kConflict "instance_name_taken".
    virtual Task<std::string> create_instance(model::InstanceSpec spec, std::string name) = 0;
    // Running already: success. Not there: kNotFound.
    virtual Task<> start_instance(std::string id) = 0;
    // Asks it to end, and ends it after `grace`. Not running, or not there: success.
    virtual Task<> stop_instance(std::string id, std::chrono::seconds grace) = 0;
    // Freezes its processes. Paused already: success. Not there: kNotFound. Not running: kConflict
    // "instance_not_running".
    virtual Task<> pause_instance(std::string id) = 0;
    // Not paused: success. Not there: kNotFound.
    virtual Task<> resume_instance(std::string id) = 0;
    // What it may use; absent when it is not there.
    virtual Task<std::optional<model::ResourceLimits>> instance_limits(std::string id) = 0;
    // Gives it the limits that an instance can be given after it was made, whatever its state; it goes on
    // running. Less memory than it uses now would end it: then its memory stays as it is. Not there:
    // kNotFound.
    virtual Task<LimitsUpdate> update_limits(std::string id, model::ResourceLimits limits) = 0;
    // Has the name already: success. Taken by another: kConflict "instance_name_taken". Not there: kNotFound.
    virtual Task<> rename_instance(std::string id, std::string name) = 0;
    // Ends it if need be. Not there: success. Its volumes stay.
    virtual Task<> remove_instance(std::string id) = 0;
    // Its last lines of output, for the sentence that says why it ended; empty when there are none, or
    // it is not there.
    virtual Task<std::string> last_output(std::string id, int lines) = 0;

    // Makes the volume unless it is there; kConflict "volume_not_ours" when it is there but another
    // installation's.
    virtual Task<Volume> ensure_volume(VolumeSpec spec) = 0;
    virtual Task<std::optional<Volume>> find_volume(std::string name) = 0;
    virtual Task<std::vector<Volume>> volumes() = 0;
    // How many bytes each holds, as far as the engine can tell. It reads them through: minutes, where they
    // hold much.
    virtual Task<std::map<std::string, std::int64_t>> volume_sizes() = 0;
    // Not there: success. Mounted by an instance: kConflict "volume_in_use". Not ours: kConflict
    // "volume_not_ours".
    virtual Task<> remove_volume(std::string name) = 0;

    // One try: does the application answer below 500 on `path`, or, without a path, accept a connection,
    // within `limit`?
    virtual Task<ProbeOutcome> probe(model::Endpoint endpoint, std::optional<std::string> path,
                                     std::chrono::milliseconds limit) = 0;

    // Follows the engine's events until cancelled; connects again by itself after a loss.
    virtual Task<> watch(EventSink& sink) = 0;
};

}  // namespace agentdb9::runtime
