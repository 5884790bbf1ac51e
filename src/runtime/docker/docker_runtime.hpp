// The Runtime on Docker Engine. Control executor only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "runtime/adoption.hpp"
#include "runtime/capacity.hpp"
#include "runtime/docker/address_book.hpp"
#include "runtime/docker/engine_client.hpp"
#include "runtime/docker/event_log.hpp"
#include "runtime/docker/firewall.hpp"
#include "runtime/docker/objects.hpp"
#include "runtime/docker/registry_logins.hpp"
#include "runtime/execution.hpp"
#include "runtime/monitoring.hpp"
#include "runtime/runtime.hpp"
#include "runtime/volume_files.hpp"

namespace agentdb9::runtime::docker {

enum class Reach { kAuto, kAddress, kPublished };
// Auto: where the engine is on this host and this process has the right to.
enum class FirewallUse { kAuto, kRequired, kOff };

struct DockerOptions {
    std::string host;  // as DOCKER_HOST; empty: the default socket
    std::string network = "agentdb9_default";
    Reach reach = Reach::kAuto;  // auto: by address when the engine is on this host, else by published ports
    std::string volume_driver = "local";
    std::map<std::string, std::string> volume_driver_options;
    FirewallUse firewall = FirewallUse::kOff;
    FirewallPolicy firewall_policy;
    std::optional<std::string> registry_logins;  // a file; absent: default_logins_file()
    bool reads_directories = true;  // of volumes, where that can be done: docker_volume_directories.cpp
};

// What an operator wants to know of the engine, beyond RuntimeInfo.
struct EngineFacts {
    std::string version;
    std::string api_version;
    std::string storage_driver;
    std::string root_directory;  // on the engine's host
    bool local = true;           // and that is this one
    bool limits_memory = true;
    bool limits_cpus = true;
    bool limits_pids = true;
    // kElsewhere: the network's bridge is not on this host.
    enum class Firewall { kOff, kElsewhere, kUp, kMissing, kUnknown };
    struct Network {
        bool isolates = false;
        std::string subnet;
        Firewall firewall = Firewall::kOff;
        std::string firewall_unknown;  // why it could not be looked at
    };
    std::optional<Network> network;  // absent: not made yet
};

// What an installation has on the engine.
struct InstallationFacts {
    std::size_t volumes = 0;
    std::size_t containers = 0;
};

class DockerRuntime final : public Runtime,
                            public VolumeFiles,
                            public Adoption,
                            public Monitoring,
                            public Executions {
  public:
    DockerRuntime(asio::any_io_executor executor, base::Clock& clock, base::InstallationId installation,
                  DockerOptions options);

    Task<RuntimeInfo> info() override;
    Task<> prepare() override;
    Task<std::vector<model::Instance>> instances() override;
    Task<std::vector<model::Instance>> instances(base::WorkspaceId workspace) override;
    Task<std::vector<model::Instance>> instances_on_volume(std::string volume) override;
    Task<bool> has_image(std::string image) override;
    Task<bool> can_pull(std::string image) override;
    Task<> ensure_image(std::string image, std::function<void(const PullProgress&)> progress) override;
    Task<std::optional<std::string>> image_id(std::string image) override;
    Task<> remove_image(std::string image) override;
    Task<std::string> create_instance(model::InstanceSpec spec, std::string name) override;
    Task<> start_instance(std::string id) override;
    Task<> stop_instance(std::string id, std::chrono::seconds grace) override;
    Task<> pause_instance(std::string id) override;
    Task<> resume_instance(std::string id) override;
    Task<std::optional<model::ResourceLimits>> instance_limits(std::string id) override;
    Task<LimitsUpdate> update_limits(std::string id, model::ResourceLimits limits) override;
    Task<> rename_instance(std::string id, std::string name) override;
    Task<> remove_instance(std::string id) override;
    Task<std::string> last_output(std::string id, int lines) override;
    Task<Volume> ensure_volume(VolumeSpec spec) override;
    Task<std::optional<Volume>> find_volume(std::string name) override;
    Task<std::vector<Volume>> volumes() override;
    Task<std::map<std::string, std::int64_t>> volume_sizes() override;
    Task<> remove_volume(std::string name) override;
    Task<ProbeOutcome> probe(model::Endpoint endpoint, std::optional<std::string> path,
                             std::chrono::milliseconds limit) override;
    Task<> watch(EventSink& sink) override;

    // VolumeFiles: docker_volume_files.cpp, by a container that is never started.
    Task<> read_volume(std::string volume, std::string path, base::ByteSink& sink) override;
    Task<> write_volume(std::string volume, base::ByteSource& source) override;
    Task<> remove_leftovers(std::chrono::seconds age) override;
    Task<std::vector<Leftover>> leftovers(std::chrono::seconds age) override;

    // Adoption: docker_adoption.cpp.
    void set_adopted(Adopted adopted) override;
    Task<Strays> strays() override;
    Task<> join_network(std::string id) override;

    // Monitoring: docker_monitoring.cpp.
    Task<> read_output(std::string id, OutputQuery query, OutputSink& sink) override;
    Task<std::optional<Usage>> usage(std::string id) override;
    Task<std::optional<model::UseCounters>> counters(std::string id) override;
    Task<> follow_usage(std::string id, UsageSink& sink) override;

    // docker_firewall.cpp. Where the network is there: puts the rules in force (again, when somebody has
    // flushed them).
    Task<> keep_firewall();
    // What would be put in force, for somebody else to do it. Throws kNotFound where there is no network.
    Task<std::string> firewall_rules();

    // Executions: docker_execution.cpp.
    Task<std::unique_ptr<Execution>> execute(std::string instance, CommandSpec spec) override;

    const EngineCalls& engine_calls() const { return engine_.calls(); }

    // For `agentdb9 doctor`: docker_facts.cpp.
    Task<EngineFacts> facts();
    // For the administrators' overview; one question.
    Task<HostCapacity> capacity();
    // Of all installations, this one or not: docker_installations.cpp.
    Task<std::map<base::InstallationId, InstallationFacts>> installations();
    std::string address() const;  // as DOCKER_HOST would name it

  private:
    // The network as it is on the engine.
    struct Network {
        std::string driver;
        bool isolates = false;
        std::optional<std::string> subnet;  // where we named it: only there may addresses be chosen
        std::string bridge;                 // its interface, on the engine's host; empty: of another driver
    };

    // Where logins at registries are kept; empty: nowhere. docker_images.cpp
    std::string logins_file() const;
    RegistryLogin login_for(const std::string& image) const;
    Volume known(Volume volume) const;  // with `ours` as it is when adoptions count
    Task<std::vector<json::object>> entries(std::string target, json::object filters);
    Task<std::vector<model::Instance>> adopted_instances(std::optional<base::WorkspaceId> workspace);
    // What remove_instance does with an adopted one.
    Task<> put_aside(std::string id);
    struct FoundLeftover {
        std::string target;  // as remove_helper() takes it
        Leftover leftover;
    };
    Task<std::vector<FoundLeftover>> find_leftovers(std::chrono::seconds age);
    Task<> make_helper_image();
    Task<std::string> make_helper(std::string volume, bool read_only);
    Task<std::string> create_helper(std::string volume, bool read_only);  // the volume is there
    // `target`: "/containers/ID" or "/volumes/NAME".
    Task<> remove_helper(std::string target);
    // Removes it, and throws `failure`, when there is one.
    Task<> finish_with(std::string target, std::exception_ptr failure);
    Task<> read_by(std::string helper, std::string path, base::ByteSink& sink);
    Task<> write_by(std::string helper, base::ByteSource& source);
    // docker_volume_directories.cpp. Nothing where the engine has to be asked for the volume's files.
    Task<std::unique_ptr<base::ByteSource>> open_directory(std::string volume);
    // Is what the engine has under this path, where it keeps volumes, what this process has there?
    Task<bool> sees(std::string parent);
    Task<bool> sees_what_is_written(std::string parent, std::string volume);
    static Task<> read_directly(base::ByteSource& from, base::ByteSink& to);
    Task<std::optional<json::object>> inspect_volume(std::string name);
    bool publishes() const;
    std::string published_host() const;
    Task<std::optional<Network>> find_network();
    Task<> remove_duplicates();
    Task<> make_network();
    Task<> prepare_network();
    Task<> load_addresses();
    // docker_firewall.cpp. Throws kConflict "firewall_missing" where it is required and cannot be.
    Task<> raise_firewall(Network network);
    bool has_firewall(const Network& network) const;
    Task<json::object> system_info();
    Task<> look_at_firewall(const Network& network, EngineFacts::Network& facts);
    Task<std::vector<model::Instance>> list(std::vector<std::string> labels,
                                            std::optional<std::string> volume);
    Task<std::optional<std::string>> existing_instance(const model::InstanceSpec& spec,
                                                       const std::string& name);
    Task<bool> name_is_anothers(const model::InstanceSpec& spec, const std::string& name);
    // Gives a stopped container a new place on the network.
    Task<> attach_anew(std::string id);
    // Carries this installation's label; false when it is not there.
    Task<bool> is_ours(std::string id);
    void note(const std::string& id, const std::optional<std::string>& address);
    void forget(const std::string& id);
    Task<> follow_events(EventSink& sink, bool& connected);
    void on_event(EventSink& sink, std::string_view line);

    asio::any_io_executor executor_;
    base::Clock& clock_;
    base::InstallationId installation_;
    std::string process_;  // this one's name on what it makes for a moment
    DockerOptions options_;
    EngineClient engine_;
    // The network was looked at since the event stream last stood.
    bool prepared_ = false;
    bool preparing_ = false;
    base::Signal prepare_ended_;
    AddressBook addresses_;
    std::set<std::string> ours_;  // containers that were seen to carry our label
    EventLog events_;
    Adopted adopted_;
    std::optional<std::string> seen_directory_;    // what sees() was last true for
    std::optional<std::string> firewall_refused_;  // why, as it was told last
    base::BlockingPool disk_{1};
    base::BlockingPool filter_{1};  // the kernel's packet filter
};

// An adopted container that was replaced: stopped, under another name, no workspace's any more.
bool is_put_aside(const std::string& name);

}  // namespace agentdb9::runtime::docker
