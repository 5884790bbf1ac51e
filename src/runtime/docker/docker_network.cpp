// The workspaces' network, the addresses on it, and the engine's events.
#include <algorithm>
#include <tuple>

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"

namespace agentdb9::runtime::docker {

using base::Error;
using base::ErrorCode;

namespace {

// Ranges that few networks use; the engine refuses one that overlaps with another of its own.
constexpr int kFirstSubnet = 213;
constexpr int kLastSubnet = 253;
constexpr std::size_t kShortId = 12;  // as in the names that the engine gives to bridges

std::uint64_t random_start() {
    std::array<unsigned char, 8> bytes{};
    base::random_bytes(bytes);
    std::uint64_t value = 0;
    for (const auto byte : bytes)
        value = value << 8 | byte;
    return value;
}

}  // namespace

Task<std::optional<DockerRuntime::Network>> DockerRuntime::find_network() {
    auto answer = co_await engine_.call("GET", "/networks/" + percent_encode(options_.network));
    if (network_is_ambiguous(answer)) {
        co_await remove_duplicates();
        answer = co_await engine_.call("GET", "/networks/" + percent_encode(options_.network));
        if (network_is_ambiguous(answer)) {
            throw Error(ErrorCode::kConflict, "network_ambiguous",
                        "The container engine has several networks called '" + options_.network +
                            "'; remove all but one ('docker network ls' shows them), then try again.");
        }
    }
    if (answer.status == 404) co_return std::nullopt;
    if (!answer.ok()) throw_failure(answer, "inspect network");
    const auto parsed = answer.parsed();
    if (!parsed.is_object()) co_return std::nullopt;
    const auto& object = parsed.get_object();
    Network network;
    network.driver = text_at(object, "Driver");
    if (network.driver == "bridge") network.bridge = "br-" + text_at(object, "Id").substr(0, kShortId);
    if (const auto* options = object_at(object, "Options")) {
        if (const auto name = text_at(*options, "com.docker.network.bridge.name"); !name.empty())
            network.bridge = name;
        network.isolates = text_at(*options, "com.docker.network.bridge.enable_icc") == "false";
    }
    if (const auto* ipam = object_at(object, "IPAM")) {
        const auto* config = ipam->if_contains("Config");
        if (config != nullptr && config->is_array() && !config->get_array().empty() &&
            config->get_array()[0].is_object()) {
            const auto subnet = text_at(config->get_array()[0].get_object(), "Subnet");
            // The engine shows a subnet also where it chose one itself; addresses may be chosen only where
            // somebody named it.
            const auto* labels = object_at(object, "Labels");
            const bool ours = labels != nullptr && text_at(*labels, kManagedLabel) == "true";
            if (!subnet.empty() && ours) network.subnet = subnet;
        }
    }
    co_return network;
}

// Two servers that make the network at the same moment, or one that is killed over it and its successor, may
// both succeed: an engine before version 25 looks for the name first and makes it then. Nothing can be
// started after that until one of them goes: of those that we made, all but the one that is in use, or the
// oldest.
Task<> DockerRuntime::remove_duplicates() {
    const json::object filters{{"name", json::array{json::string(options_.network)}}};
    const auto answer =
        co_await engine_.call("GET", "/networks?filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_failure(answer, "list networks");
    const auto parsed = answer.parsed();
    struct Found {
        bool unused = true;
        std::string created;
        std::string id;
        bool ours = false;
        auto rank() const { return std::tie(unused, ours, created, id); }
    };
    std::vector<Found> found;
    for (const auto& entry : parsed.is_array() ? parsed.get_array() : json::array()) {
        // The engine's filter also finds parts of names.
        if (!entry.is_object() || text_at(entry.get_object(), "Name") != options_.network) continue;
        Found network{.created = text_at(entry.get_object(), "Created"),
                      .id = text_at(entry.get_object(), "Id")};
        const auto* labels = object_at(entry.get_object(), "Labels");
        network.ours = labels != nullptr && text_at(*labels, kManagedLabel) == "true";
        const auto whole = co_await engine_.call("GET", "/networks/" + percent_encode(network.id));
        const auto details = whole.ok() ? whole.parsed() : json::value(nullptr);
        const auto* attached = details.is_object() ? object_at(details.get_object(), "Containers") : nullptr;
        network.unused = attached == nullptr || attached->empty();
        found.push_back(std::move(network));
    }
    std::ranges::sort(found, {}, &Found::rank);
    for (std::size_t i = 1; i < found.size(); ++i) {
        if (!found[i].ours || !found[i].unused) continue;
        const auto removed = co_await engine_.call("DELETE", "/networks/" + percent_encode(found[i].id));
        log::warning("the network was there twice; one of them is removed",
                     {{"network", options_.network},
                      {"id", found[i].id},
                      {"removed", removed.ok() || removed.status == 404}});
    }
}

Task<> DockerRuntime::make_network() {
    std::string refusal;
    for (int second = kFirstSubnet; second <= kLastSubnet; ++second) {
        const auto subnet = "10." + std::to_string(second) + ".0.0/16";
        json::object config{{"Subnet", subnet}};
        json::object body{{"Name", options_.network},
                          {"CheckDuplicate", true},
                          {"Driver", "bridge"},
                          {"Labels", json::object{{kManagedLabel, "true"}}},
                          // Workspaces of different users must not reach one another.
                          {"Options", json::object{{"com.docker.network.bridge.enable_icc", "false"}}}};
        body["IPAM"] = json::object{{"Driver", "default"}, {"Config", json::array{std::move(config)}}};
        const auto answer = co_await engine_.call("POST", "/networks/create", body, std::chrono::seconds(30));
        if (answer.ok() || answer.status == 409) co_return;  // 409: another server made it just now
        refusal = answer.message();
        if (refusal.find("overlap") == std::string::npos) break;
    }
    throw Error(ErrorCode::kUpstream, "runtime_error",
                "The container engine could not make the network '" + options_.network + "' (" + refusal +
                    "); make one by hand and name it as docker.network.");
}

// One at a time: the engine might make two networks for two who find none.
Task<> DockerRuntime::prepare() {
    while (preparing_)
        co_await prepare_ended_.wait();
    struct Turn {
        explicit Turn(DockerRuntime& runtime) : runtime(runtime) { runtime.preparing_ = true; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() {
            runtime.preparing_ = false;
            runtime.prepare_ended_.notify_all();
        }
        DockerRuntime& runtime;
    };
    const Turn turn(*this);
    co_await prepare_network();
}

Task<> DockerRuntime::prepare_network() {
    auto network = co_await find_network();
    if (!network) {
        co_await make_network();
        network = co_await find_network();
    }
    if (!network) {
        throw Error(ErrorCode::kUpstream, "runtime_error",
                    "The workspaces' network vanished while it was being made; try again.");
    }
    // "host" and "none": every engine has them, and on the host's own network a workspace would reach all of
    // the machine.
    if (network->driver == "host" || network->driver == "null") {
        throw Error(ErrorCode::kConflict, "network_unfit",
                    "The network '" + options_.network +
                        "' is no place for workspaces; name another one as docker.network.");
    }
    co_await raise_firewall(*network);
    if (!network->isolates) {
        log::warning(
            "workspaces on this network can reach one another; remove it, so that an isolated one is made",
            {{"network", options_.network}});
    }
    if (!network->subnet) {
        log::warning(
            "on this network the engine chooses the addresses, and may give a dead workspace's address to "
            "the "
            "next one at once; remove it, so that a fit one is made",
            {{"network", options_.network}});
    }
    addresses_.use_subnet(network->subnet, random_start());
    co_await load_addresses();
    prepared_ = true;
}

Task<> DockerRuntime::load_addresses() {
    // Of all containers on the network, also of other installations and also stopped ones: the engine's own
    // list of the network shows only those that run.
    const json::object filters{{"network", json::array{json::string(options_.network)}}};
    const auto answer = co_await engine_.call(
        "GET", "/containers/json?all=1&filters=" + percent_encode(json::serialize(filters)));
    if (!answer.ok()) throw_failure(answer, "list containers");
    const auto parsed = answer.parsed();
    std::map<std::string, std::string> address_of;
    if (parsed.is_array()) {
        for (const auto& entry : parsed.get_array()) {
            if (!entry.is_object()) continue;
            if (auto address = held_address(entry.get_object(), options_.network))
                address_of[text_at(entry.get_object(), "Id")] = std::move(*address);
        }
    }
    addresses_.reload(address_of, clock_.steady_now());
}

Task<> DockerRuntime::watch(EventSink& sink) {
    auto pause = std::chrono::milliseconds(100);
    for (;;) {
        bool connected = false;
        std::optional<Error> failure;
        try {
            co_await follow_events(sink, connected);
        } catch (const Error& error) {
            failure = error;
        }
        if (connected) {
            sink.on_disconnected();
            pause = std::chrono::milliseconds(100);
        }
        log::debug("the engine's event stream ended",
                   {{"reason", failure ? failure->what() : "end of stream"}});
        co_await clock_.sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(2000));
    }
}

Task<> DockerRuntime::follow_events(EventSink& sink, bool& connected) {
    // After a gap also the network may be another one: the next create looks at it again.
    prepared_ = false;
    seen_directory_.reset();
    const json::object filters{{"type", json::array{"container"}},
                               {"label", json::array{json::string(std::string(kManagedLabel) + "=true")}}};
    std::string target = "/events?filters=" + percent_encode(json::serialize(filters));
    if (const auto since = events_.since()) target += "&since=" + *since;
    std::string pending;
    co_await engine_.stream(
        "GET", target,
        [&](int status) {
            if (status != 200) return;
            connected = true;
            sink.on_connected();
        },
        [&](std::string_view data) {
            if (!connected) return;
            pending += data;
            for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
                on_event(sink, std::string_view(pending).substr(0, end));
                pending.erase(0, end + 1);
            }
        },
        std::nullopt);
}

void DockerRuntime::on_event(EventSink& sink, std::string_view line) {
    const auto event = events_.read(line);
    if (!event) return;
    if (event->installation != installation_.view() && !adopted_.instances.contains(event->instance)) return;
    if (event->kind == EventKind::kRemoved) forget(event->instance);
    if (event->kind == EventKind::kDied) sink.on_death(event->workspace, event->instance, event->death);
    sink.on_event(event->workspace, event->instance, event->kind);
}

}  // namespace agentdb9::runtime::docker
