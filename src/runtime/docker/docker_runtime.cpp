#include "runtime/docker/docker_runtime.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/docker/log_frames.hpp"
#include "runtime/docker/probe.hpp"

namespace agentdb9::runtime::docker {

using base::Error;
using base::ErrorCode;

namespace {

constexpr int kAddressTries = 5;

std::string containers(const std::string& id, std::string_view call) {
    return "/containers/" + percent_encode(id) + std::string(call);
}

// What any call may answer besides its own statuses.
[[noreturn]] void throw_answer(const EngineAnswer& answer, std::string_view what) {
    const auto text = std::string(what) + ": " + std::to_string(answer.status) + " " + answer.message();
    if (answer.status == 404) {
        throw Error(ErrorCode::kNotFound, "instance_not_found",
                    "The container is not there any more; start the workspace again.")
            .with_internal(text);
    }
    throw Error(ErrorCode::kUpstream, "runtime_error",
                "The container engine could not do this: " + answer.message() +
                    ". Look at the engine's log, then try again.")
        .with_internal(text);
}

Error image_unavailable(const std::string& image, const std::string& reason) {
    return Error(
        ErrorCode::kConflict, "image_unavailable",
        "The image '" + image + "' is not on the server and could not be pulled (" + reason +
            "). Build or pull it on the server, or set another containerImage for this workspace type.");
}

}  // namespace

DockerRuntime::DockerRuntime(asio::any_io_executor executor, base::Clock& clock,
                             base::InstallationId installation, DockerOptions options)
    : clock_(clock),
      installation_(installation),
      options_(std::move(options)),
      engine_(executor, clock, options_.host) {}

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
    if (!answer.ok()) throw_answer(answer, "list containers");
    const auto parsed = answer.parsed();
    std::vector<model::Instance> found;
    if (!parsed.is_array()) co_return found;
    for (const auto& entry : parsed.get_array()) {
        if (!entry.is_object()) continue;
        if (auto instance = instance_from(entry.get_object(), options_.network, published_host())) {
            note_address(instance->id, instance->address);
            found.push_back(std::move(*instance));
        }
    }
    co_return found;
}

Task<std::vector<model::Instance>> DockerRuntime::instances() {
    return list({}, std::nullopt);
}

Task<std::vector<model::Instance>> DockerRuntime::instances(base::WorkspaceId workspace) {
    return list({std::string(kWorkspaceIdLabel) + "=" + workspace.str()}, std::nullopt);
}

Task<std::vector<model::Instance>> DockerRuntime::instances_on_volume(std::string volume) {
    // The engine's filter also matches mount points and parts of names: the mounts decide.
    auto found = co_await list({}, volume);
    std::erase_if(found, [&](const model::Instance& instance) {
        return std::ranges::find(instance.volumes, volume) == instance.volumes.end();
    });
    co_return found;
}

Task<bool> DockerRuntime::has_image(std::string image) {
    const auto answer = co_await engine_.call("GET", "/images/" + percent_encode(image) + "/json");
    if (answer.status == 404) co_return false;
    if (!answer.ok()) throw_answer(answer, "inspect image");
    co_return true;
}

// Engine API, "DistributionInspect": asks the registry without pulling.
Task<bool> DockerRuntime::can_pull(std::string image) {
    const auto answer = co_await engine_.call("GET", "/distribution/" + percent_encode(image) + "/json");
    co_return answer.ok();
}

Task<> DockerRuntime::ensure_image(std::string image, std::function<void(const PullProgress&)> progress) {
    if (co_await has_image(image)) co_return;
    // "name:tag" or "name@digest"; without either the engine would pull every tag.
    const auto slash = image.rfind('/');
    const bool tagged = image.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos ||
                        image.find('@') != std::string::npos;
    const std::string whole = tagged ? image : image + ":latest";
    std::string pending;
    std::string failure;
    int status = 0;
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> layers;  // id → done, total
    const auto read_line = [&](std::string_view line) {
        boost::system::error_code ec;
        const auto value = json::parse(json::string_view(line.data(), line.size()), ec);
        if (ec || !value.is_object()) return;
        const auto& object = value.get_object();
        if (auto error = text_at(object, "error"); !error.empty()) failure = error;
        if (const auto* detail = object_at(object, "progressDetail")) {
            const auto* current = detail->if_contains("current");
            const auto* total = detail->if_contains("total");
            if (current != nullptr && total != nullptr && current->is_int64() && total->is_int64()) {
                layers[text_at(object, "id")] = {current->get_int64(), total->get_int64()};
            }
        }
        std::int64_t done = 0, all = 0;
        for (const auto& [id, layer] : layers) {
            done += layer.first;
            all += layer.second;
        }
        progress({text_at(object, "status"),
                  all > 0 ? std::optional(static_cast<int>(done * 100 / all)) : std::nullopt});
    };
    std::string refusal;
    co_await engine_.stream(
        "POST", "/images/create?fromImage=" + percent_encode(whole), [&](int answered) { status = answered; },
        [&](std::string_view data) {
            if (status != 200) {
                refusal += data;
                return;
            }
            pending += data;
            for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
                read_line(std::string_view(pending).substr(0, end));
                pending.erase(0, end + 1);
            }
        },
        std::chrono::minutes(5));
    if (status != 200) throw image_unavailable(image, EngineAnswer{status, refusal}.message());
    // A pull answers 200 and tells its failure inside the stream.
    if (!failure.empty()) throw image_unavailable(image, failure);
    if (!co_await has_image(image))
        throw image_unavailable(image, "the engine does not show it after the pull");
}

Task<std::optional<std::string>> DockerRuntime::existing_instance(const model::InstanceSpec& spec,
                                                                  const std::string& name) {
    for (const auto& instance : co_await instances(spec.workspace_id)) {
        if (instance.name == name && instance.generation == spec.generation &&
            instance.spec == model::spec_hash(spec) && instance.state == model::InstanceState::kCreated) {
            co_return instance.id;
        }
    }
    co_return std::nullopt;
}

Task<std::string> DockerRuntime::create_instance(model::InstanceSpec spec, std::string name) {
    if (!prepared_) co_await prepare();
    CreateOptions options{.installation = installation_, .network = options_.network};
    options.publish = publishes();
    options.publish_on = engine_.is_local() ? "127.0.0.1" : "0.0.0.0";
    options.address = co_await choose_address();
    const auto target = "/containers/create?name=" + percent_encode(name);
    const auto answer =
        co_await engine_.call("POST", target, create_body(spec, options), std::chrono::seconds(60));
    if (answer.status == 409) {
        if (auto existing = co_await existing_instance(spec, name)) co_return *existing;
        throw base::conflict("instance_name_taken",
                             "Another container is already called '" + name +
                                 "'; remove or rename it on the server, then start again.");
    }
    if (answer.status == 404) throw image_unavailable(spec.image, answer.message());
    if (!answer.ok()) throw_answer(answer, "create container");
    const auto parsed = answer.parsed();
    auto id = parsed.is_object() ? text_at(parsed.get_object(), "Id") : std::string();
    if (options.address) address_of_[id] = *options.address;
    co_return id;
}

Task<> DockerRuntime::start_instance(std::string id) {
    for (int tried = 0;; ++tried) {
        const auto answer =
            co_await engine_.call("POST", containers(id, "/start"), {}, std::chrono::seconds(90));
        if (answer.ok() || answer.status == 304) co_return;
        const auto message = answer.message();
        const bool address_taken = message.find("ddress already in use") != std::string::npos;
        const bool network_gone =
            message.find("network") != std::string::npos && message.find("not found") != std::string::npos;
        if ((!address_taken && !network_gone) || tried >= kAddressTries)
            throw_answer(answer, "start container");
        // Another installation took the address in the meantime, or somebody removed the network: attach it
        // anew.
        if (network_gone) {
            prepared_ = false;
            co_await prepare();
        }
        if (auto taken = address_of_.find(id); taken != address_of_.end() && addresses_) {
            addresses_->hold_back(taken->second, clock_.steady_now());
        }
        const auto network = "/networks/" + percent_encode(options_.network);
        co_await engine_.call("POST", network + "/disconnect",
                              json::object{{"Container", id}, {"Force", true}});
        const auto address = co_await choose_address();
        json::object endpoint;
        if (address) endpoint["IPAMConfig"] = json::object{{"IPv4Address", *address}};
        co_await engine_.call("POST", network + "/connect",
                              json::object{{"Container", id}, {"EndpointConfig", endpoint}});
        if (address) address_of_[id] = *address;
    }
}

Task<> DockerRuntime::stop_instance(std::string id, std::chrono::seconds grace) {
    const auto answer =
        co_await engine_.call("POST", containers(id, "/stop?t=" + std::to_string(grace.count())), {},
                              grace + std::chrono::seconds(20));
    if (!answer.ok() && answer.status != 304 && answer.status != 404) throw_answer(answer, "stop container");
}

Task<> DockerRuntime::resume_instance(std::string id) {
    const auto answer = co_await engine_.call("POST", containers(id, "/unpause"));
    if (answer.ok() || answer.status == 304 || answer.message().find("is not paused") != std::string::npos)
        co_return;
    throw_answer(answer, "resume container");
}

Task<> DockerRuntime::rename_instance(std::string id, std::string name) {
    const auto answer = co_await engine_.call("POST", containers(id, "/rename?name=" + percent_encode(name)));
    if (answer.ok()) co_return;
    if (answer.status == 409 || answer.message().find("same name") != std::string::npos) {
        for (const auto& instance : co_await instances()) {
            if (instance.id == id && instance.name == name) co_return;
        }
        throw base::conflict("instance_name_taken",
                             "Another container is already called '" + name +
                                 "'; remove or rename it on the server, then try again.");
    }
    throw_answer(answer, "rename container");
}

Task<> DockerRuntime::remove_instance(std::string id) {
    const auto deadline = clock_.steady_now() + std::chrono::seconds(30);
    for (;;) {
        // Never with v=true: that would remove volumes.
        const auto answer =
            co_await engine_.call("DELETE", containers(id, "?force=true"), {}, std::chrono::seconds(60));
        if (answer.status == 404) break;
        if (answer.ok()) break;
        const bool under_way =
            answer.status == 409 && answer.message().find("in progress") != std::string::npos;
        if (!under_way || clock_.steady_now() > deadline) throw_answer(answer, "remove container");
        co_await clock_.sleep_for(std::chrono::milliseconds(50));
    }
    if (auto known = address_of_.find(id); known != address_of_.end()) {
        if (addresses_) addresses_->hold_back(known->second, clock_.steady_now());
        address_of_.erase(known);
    }
}

Task<std::string> DockerRuntime::last_output(std::string id, int lines) {
    const auto answer =
        co_await engine_.call("GET", containers(id, "/logs?stdout=1&stderr=1&tail=" + std::to_string(lines)));
    co_return answer.ok() ? decode_log(answer.body) : std::string();
}

Task<Volume> DockerRuntime::ensure_volume(VolumeSpec spec) {
    if (auto existing = co_await find_volume(spec.name)) {
        if (existing->ours) co_return *existing;
        throw base::conflict(
            "volume_not_ours",
            "A volume called '" + spec.name +
                "' exists on the engine but was made by another installation; it is left alone.");
    }
    const auto body =
        volume_body(spec, installation_, options_.volume_driver, options_.volume_driver_options);
    const auto answer = co_await engine_.call("POST", "/volumes/create", body);
    if (!answer.ok()) throw_answer(answer, "create volume");
    const auto parsed = answer.parsed();
    co_return volume_from(parsed.as_object(), installation_);
}

Task<std::optional<Volume>> DockerRuntime::find_volume(std::string name) {
    const auto answer = co_await engine_.call("GET", "/volumes/" + percent_encode(name));
    if (answer.status == 404) co_return std::nullopt;
    if (!answer.ok()) throw_answer(answer, "inspect volume");
    const auto parsed = answer.parsed();
    if (!parsed.is_object()) co_return std::nullopt;
    co_return volume_from(parsed.get_object(), installation_);
}

Task<std::vector<Volume>> DockerRuntime::volumes() {
    const json::object filters{
        {"label", json::array{json::string(std::string(kInstanceLabel) + "=" + installation_.str())}}};
    const auto answer =
        co_await engine_.call("GET", "/volumes?filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_answer(answer, "list volumes");
    const auto parsed = answer.parsed();
    std::vector<Volume> found;
    if (!parsed.is_object()) co_return found;
    const auto* list = parsed.get_object().if_contains("Volumes");
    if (list == nullptr || !list->is_array()) co_return found;
    for (const auto& entry : list->get_array()) {
        if (entry.is_object()) found.push_back(volume_from(entry.get_object(), installation_));
    }
    co_return found;
}

Task<> DockerRuntime::remove_volume(std::string name) {
    const auto existing = co_await find_volume(name);
    if (!existing) co_return;
    if (!existing->ours) {
        throw base::conflict("volume_not_ours",
                             "The volume '" + name + "' was made by another installation; it is left alone.");
    }
    const auto answer =
        co_await engine_.call("DELETE", "/volumes/" + percent_encode(name), {}, std::chrono::seconds(60));
    if (answer.ok() || answer.status == 404) co_return;
    if (answer.status == 409) {
        throw base::conflict(
            "volume_in_use",
            "The volume '" + name + "' is still mounted by a container; remove that one first.");
    }
    throw_answer(answer, "remove volume");
}

Task<ProbeOutcome> DockerRuntime::probe(model::Endpoint endpoint, std::optional<std::string> path) {
    co_return co_await answers(clock_, std::move(endpoint), std::move(path)) ? ProbeOutcome::kReady
                                                                             : ProbeOutcome::kNotYet;
}

}  // namespace agentdb9::runtime::docker
