#include "runtime/docker/docker_runtime.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/log_frames.hpp"
#include "runtime/docker/nftables.hpp"
#include "runtime/docker/probe.hpp"

namespace agentdb9::runtime::docker {

namespace {

constexpr int kStartTries = 5;
// How long a create that nobody waits for any more may take.
constexpr std::chrono::seconds kNameWait{10};

std::string containers(const std::string& id, std::string_view call) {
    return "/containers/" + percent_encode(id) + std::string(call);
}

// Exists, and is not on its way out.
bool is_usable(model::InstanceState state) {
    return state != model::InstanceState::kRemoving && state != model::InstanceState::kDead;
}

}  // namespace

DockerRuntime::DockerRuntime(asio::any_io_executor executor, base::Clock& clock,
                             base::InstallationId installation, DockerOptions options)
    : executor_(executor),
      clock_(clock),
      installation_(installation),
      process_(base::random_token(16)),
      options_(std::move(options)),
      engine_(executor, clock, options_.host),
      prepare_ended_(executor) {
    if (options_.firewall != FirewallUse::kOff && engine_.is_local()) open_nft();
}

bool DockerRuntime::publishes() const {
    return options_.reach == Reach::kPublished || (options_.reach == Reach::kAuto && !engine_.is_local());
}

std::string DockerRuntime::published_host() const {
    return engine_.is_local() ? "127.0.0.1" : engine_.remote_host();
}

Task<RuntimeInfo> DockerRuntime::info() {
    const auto api = co_await engine_.negotiate();
    const auto answer = co_await engine_.call("GET", "/version", {}, std::chrono::seconds(5));
    RuntimeInfo info{.name = "docker", .version = {}, .api_version = api};
    if (answer.ok()) {
        const auto parsed = answer.parsed();
        if (parsed.is_object()) info.version = text_at(parsed.get_object(), "Version");
    }
    const auto network = co_await find_network();
    info.isolates_workspaces = network && network->isolates;
    co_return info;
}

Task<std::vector<model::Instance>> DockerRuntime::list(std::vector<std::string> labels,
                                                       std::optional<std::string> volume) {
    labels.push_back(std::string(kInstanceLabel) + "=" + installation_.str());
    json::object filters{{"label", json::value_from(labels)}};
    if (volume) filters["volume"] = json::array{json::string(*volume)};
    const auto answer = co_await engine_.call(
        "GET", "/containers/json?all=1&filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_failure(answer, "list containers");
    const auto parsed = answer.parsed();
    std::vector<model::Instance> found;
    if (!parsed.is_array()) co_return found;
    for (const auto& entry : parsed.get_array()) {
        if (!entry.is_object()) continue;
        if (auto instance = instance_from(entry.get_object(), options_.network, published_host())) {
            note(instance->id, held_address(entry.get_object(), options_.network));
            found.push_back(std::move(*instance));
        }
    }
    co_return found;
}

Task<std::vector<model::Instance>> DockerRuntime::instances() {
    auto found = co_await list({}, std::nullopt);
    for (auto& each : co_await adopted_instances(std::nullopt))
        found.push_back(std::move(each));
    co_return found;
}

Task<std::vector<model::Instance>> DockerRuntime::instances(base::WorkspaceId workspace) {
    auto found = co_await list({std::string(kWorkspaceIdLabel) + "=" + workspace.str()}, std::nullopt);
    for (auto& each : co_await adopted_instances(workspace))
        found.push_back(std::move(each));
    co_return found;
}

Task<std::vector<model::Instance>> DockerRuntime::instances_on_volume(std::string volume) {
    // The engine's filter also matches mount points and parts of names: the mounts decide.
    auto found = co_await list({}, volume);
    for (auto& each : co_await adopted_instances(std::nullopt))
        found.push_back(std::move(each));
    std::erase_if(found, [&](const model::Instance& instance) {
        return std::ranges::find(instance.volumes, volume) == instance.volumes.end();
    });
    co_return found;
}

Task<std::optional<std::string>> DockerRuntime::existing_instance(const model::InstanceSpec& spec,
                                                                  const std::string& name) {
    for (const auto& instance : co_await instances(spec.workspace_id)) {
        if (instance.name == name && instance.generation == spec.generation &&
            instance.spec == model::spec_hash(spec) && is_usable(instance.state)) {
            co_return instance.id;
        }
    }
    co_return std::nullopt;
}

// False while the engine does not show who has it, and when it is the very instance that is asked for.
Task<bool> DockerRuntime::name_is_anothers(const model::InstanceSpec& spec, const std::string& name) {
    const auto answer = co_await engine_.call("GET", containers(name, "/json"));
    if (answer.status == 404) co_return false;
    if (!answer.ok()) throw_failure(answer, "inspect container");
    const auto parsed = answer.parsed();
    const auto* config = parsed.is_object() ? object_at(parsed.get_object(), "Config") : nullptr;
    const auto* labels = config != nullptr ? object_at(*config, "Labels") : nullptr;
    if (labels == nullptr) co_return true;
    co_return text_at(*labels, kInstanceLabel) != installation_.view() ||
        text_at(*labels, kWorkspaceIdLabel) != spec.workspace_id.view() ||
        text_at(*labels, "agentdb9.generation") != std::to_string(spec.generation) ||
        text_at(*labels, "agentdb9.spec") != model::spec_hash(spec);
}

Task<std::string> DockerRuntime::create_instance(model::InstanceSpec spec, std::string name) {
    const auto target = "/containers/create?name=" + percent_encode(name);
    const auto name_deadline = clock_.steady_now() + kNameWait;
    bool again = false;
    for (;;) {
        if (!prepared_) co_await prepare();
        CreateOptions options{.installation = installation_, .network = options_.network};
        options.publish = publishes();
        options.publish_on = engine_.is_local() ? "127.0.0.1" : "0.0.0.0";
        // From our own book, without asking the engine: what it does not know of, another installation's new
        // address, the engine refuses at the start, and the start takes the next one.
        options.address = addresses_.choose(clock_.steady_now());
        const auto answer =
            co_await engine_.call("POST", target, create_body(spec, options), std::chrono::seconds(60));
        if (answer.status == 409) {
            // The engine gives the name away before it shows who has it: a call that broke off, or that a
            // dead server made, may still be under way there.
            const bool anothers = co_await name_is_anothers(spec, name);
            if (auto existing = co_await existing_instance(spec, name)) co_return *existing;
            if (anothers || clock_.steady_now() > name_deadline) throw name_taken(name);
            co_await clock_.sleep_for(std::chrono::milliseconds(50));
            continue;
        }
        if (!answer.ok() && network_refused_it(answer) && !again) {
            again = true;
            prepared_ = false;
            continue;
        }
        if (answer.status == 404) throw image_unavailable(spec.image, answer.message());
        if (!answer.ok()) throw_failure(answer, "create container");
        const auto parsed = answer.parsed();
        auto id = parsed.is_object() ? text_at(parsed.get_object(), "Id") : std::string();
        if (id.empty()) throw_failure(answer, "create container, no id");
        note(id, options.address);
        co_return id;
    }
}

void DockerRuntime::note(const std::string& id, const std::optional<std::string>& address) {
    ours_.insert(id);
    if (address) addresses_.note(id, *address);
}

void DockerRuntime::forget(const std::string& id) {
    ours_.erase(id);
    addresses_.release(id, clock_.steady_now());
}

Task<bool> DockerRuntime::is_ours(std::string id) {
    // An id and the labels behind it never change: one look is enough.
    if (ours_.contains(id) || adopted_.instances.contains(id)) co_return true;
    const auto answer = co_await engine_.call("GET", containers(id, "/json"));
    if (answer.status == 404) co_return false;
    if (!answer.ok()) throw_failure(answer, "inspect container");
    const auto parsed = answer.parsed();
    if (!parsed.is_object()) co_return false;
    const auto* config = object_at(parsed.get_object(), "Config");
    const auto* labels = config != nullptr ? object_at(*config, "Labels") : nullptr;
    const bool ours = labels != nullptr && text_at(*labels, kInstanceLabel) == installation_.view();
    if (ours && text_at(parsed.get_object(), "Id") == id) ours_.insert(id);
    co_return ours;
}

Task<> DockerRuntime::start_instance(std::string id) {
    if (!co_await is_ours(id)) throw instance_not_found();
    for (int tried = 1;; ++tried) {
        const auto answer =
            co_await engine_.call("POST", containers(id, "/start"), {}, std::chrono::seconds(90));
        if (answer.ok() || answer.status == 304) co_return;
        if (!network_refused_it(answer) || tried >= kStartTries)
            throw_instance_failure(answer, "start container");
        addresses_.release(id, clock_.steady_now());
        co_await prepare();
        co_await attach_anew(id);
    }
}

Task<> DockerRuntime::attach_anew(std::string id) {
    const auto network = "/networks/" + percent_encode(options_.network);
    // Whether it was attached at all does not matter.
    co_await engine_.call("POST", network + "/disconnect", json::object{{"Container", id}, {"Force", true}});
    const auto address = addresses_.choose(clock_.steady_now());
    json::object endpoint;
    if (address) endpoint["IPAMConfig"] = json::object{{"IPv4Address", *address}};
    const auto answer = co_await engine_.call("POST", network + "/connect",
                                              json::object{{"Container", id}, {"EndpointConfig", endpoint}});
    if (!answer.ok()) throw_instance_failure(answer, "attach container to its network");
    note(id, address);
}

Task<> DockerRuntime::stop_instance(std::string id, std::chrono::seconds grace) {
    if (!co_await is_ours(id)) co_return;
    const auto answer =
        co_await engine_.call("POST", containers(id, "/stop?t=" + std::to_string(grace.count())), {},
                              grace + std::chrono::seconds(20));
    if (!answer.ok() && answer.status != 304 && answer.status != 404) throw_failure(answer, "stop container");
}

Task<> DockerRuntime::pause_instance(std::string id) {
    if (!co_await is_ours(id)) throw instance_not_found();
    const auto answer = co_await engine_.call("POST", containers(id, "/pause"));
    if (answer.ok() || answer.message().find("already paused") != std::string::npos) co_return;
    if (answer.status == 409 || answer.message().find("not running") != std::string::npos) {
        throw base::conflict("instance_not_running",
                             "The container does not run, so there is nothing to pause; try again without.");
    }
    throw_instance_failure(answer, "pause container");
}

Task<> DockerRuntime::resume_instance(std::string id) {
    if (!co_await is_ours(id)) throw instance_not_found();
    const auto answer = co_await engine_.call("POST", containers(id, "/unpause"));
    if (answer.ok() || answer.status == 304 || answer.message().find("is not paused") != std::string::npos)
        co_return;
    throw_instance_failure(answer, "resume container");
}

Task<> DockerRuntime::rename_instance(std::string id, std::string name) {
    if (!co_await is_ours(id)) throw instance_not_found();
    const auto answer = co_await engine_.call("POST", containers(id, "/rename?name=" + percent_encode(name)));
    if (answer.ok()) co_return;
    if (answer.status == 409 || answer.message().find("same name") != std::string::npos) {
        for (const auto& instance : co_await instances()) {
            if (instance.id == id && instance.name == name) co_return;
        }
        throw name_taken(name);
    }
    throw_instance_failure(answer, "rename container");
}

Task<> DockerRuntime::remove_instance(std::string id) {
    if (adopted_.instances.contains(id)) {
        co_await put_aside(std::move(id));
        co_return;
    }
    if (!co_await is_ours(id)) co_return;
    const auto deadline = clock_.steady_now() + std::chrono::seconds(30);
    for (;;) {
        // Never with v=true: that would remove volumes.
        const auto answer =
            co_await engine_.call("DELETE", containers(id, "?force=true"), {}, std::chrono::seconds(60));
        if (answer.status == 404) break;
        if (answer.ok()) break;
        const bool under_way =
            answer.status == 409 && answer.message().find("in progress") != std::string::npos;
        if (!under_way || clock_.steady_now() > deadline) throw_failure(answer, "remove container");
        co_await clock_.sleep_for(std::chrono::milliseconds(50));
    }
    forget(id);
}

Task<std::string> DockerRuntime::last_output(std::string id, int lines) {
    if (!co_await is_ours(id)) co_return std::string();
    const auto answer =
        co_await engine_.call("GET", containers(id, "/logs?stdout=1&stderr=1&tail=" + std::to_string(lines)));
    co_return answer.ok() ? decode_log(answer.body) : std::string();
}

Task<ProbeOutcome> DockerRuntime::probe(model::Endpoint endpoint, std::optional<std::string> path,
                                        std::chrono::milliseconds limit) {
    const bool ready = co_await answers(clock_, std::move(endpoint), std::move(path), publishes(), limit);
    co_return ready ? ProbeOutcome::kReady : ProbeOutcome::kNotYet;
}

}  // namespace agentdb9::runtime::docker
