// The workspaces' network, the choice of addresses on it, and the engine's events.
#include <boost/asio/redirect_error.hpp>

#include "base/crypto.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"

namespace agentdb9::runtime::docker {

using base::Error;
using base::ErrorCode;

namespace {

// Ranges that few networks use; the engine refuses one that overlaps with another of its own.
constexpr int kFirstSubnet = 213;
constexpr int kLastSubnet = 253;

std::string without_prefix_length(std::string address) {
    return address.substr(0, address.find('/'));
}

std::uint64_t random_start() {
    std::array<unsigned char, 8> bytes{};
    base::random_bytes(bytes);
    std::uint64_t value = 0;
    for (const auto byte : bytes)
        value = value << 8 | byte;
    return value;
}

EventKind kind_of(std::string_view action) {
    if (action == "start") return EventKind::kStarted;
    if (action == "die") return EventKind::kDied;
    if (action == "destroy") return EventKind::kRemoved;
    return EventKind::kOther;
}

bool matters(std::string_view action) {
    for (const std::string_view each :
         {"create", "start", "die", "destroy", "oom", "pause", "unpause", "rename", "stop"}) {
        if (action == each) return true;
    }
    return false;
}

}  // namespace

Task<std::optional<DockerRuntime::Network>> DockerRuntime::find_network() {
    const auto answer = co_await engine_.call("GET", "/networks/" + percent_encode(options_.network));
    if (answer.status == 404) co_return std::nullopt;
    if (!answer.ok()) {
        throw Error(ErrorCode::kUpstream, "runtime_error",
                    "The container engine does not tell about its networks; try again.")
            .with_internal(answer.message());
    }
    const auto parsed = answer.parsed();
    if (!parsed.is_object()) co_return std::nullopt;
    const auto& object = parsed.get_object();
    Network network;
    if (const auto* options = object_at(object, "Options")) {
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
    if (const auto* attached = object_at(object, "Containers")) {
        for (const auto& [id, entry] : *attached) {
            if (entry.is_object())
                network.in_use.insert(without_prefix_length(text_at(entry.get_object(), "IPv4Address")));
        }
    }
    co_return network;
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

Task<> DockerRuntime::prepare() {
    auto network = co_await find_network();
    if (!network) {
        co_await make_network();
        network = co_await find_network();
    }
    if (!network) {
        throw Error(ErrorCode::kUpstream, "runtime_error",
                    "The workspaces' network vanished while it was being made; try again.");
    }
    if (!network->isolates) {
        log::warning(
            "workspaces on this network can reach one another; remove it, so that an isolated one is made",
            {{"network", options_.network}});
    }
    if (network->subnet && !addresses_) addresses_ = AddressPool::make(*network->subnet, random_start());
    prepared_ = true;
}

Task<std::optional<std::string>> DockerRuntime::choose_address() {
    auto network = co_await find_network();
    if (!network) {
        co_await prepare();
        network = co_await find_network();
    }
    if (!network || !addresses_) co_return std::nullopt;
    auto in_use = std::move(network->in_use);
    for (const auto& [id, address] : address_of_)
        in_use.insert(address);
    auto address = addresses_->choose(in_use, clock_.steady_now());
    if (!address) {
        throw base::conflict("addresses_exhausted",
                             "All addresses of the workspaces' network are in use; stop some workspaces.");
    }
    // Until the engine shows the container, nobody else may be given it.
    addresses_->hold_back(*address, clock_.steady_now());
    co_return address;
}

void DockerRuntime::note_address(const std::string& id, const std::optional<std::string>& address) {
    if (address) address_of_[id] = *address;
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
    const json::object filters{
        {"type", json::array{"container"}},
        {"label", json::array{json::string(std::string(kInstanceLabel) + "=" + installation_.str())}}};
    std::string target = "/events?filters=" + percent_encode(json::serialize(filters));
    if (last_event_ns_ > 0) {
        const auto since = last_event_ns_ + 1;
        auto fraction = std::to_string(since % 1000000000);
        fraction.insert(0, 9 - fraction.size(), '0');
        target += "&since=" + std::to_string(since / 1000000000) + "." + fraction;
    }
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
    boost::system::error_code ec;
    const auto value = json::parse(json::string_view(line.data(), line.size()), ec);
    if (ec || !value.is_object()) return;
    const auto& event = value.get_object();
    if (const auto* at = event.if_contains("timeNano"); at != nullptr && at->is_int64()) {
        if (at->get_int64() <= last_event_ns_) return;  // told again after a resume
        last_event_ns_ = at->get_int64();
    }
    const auto action = text_at(event, "Action");
    const auto* actor = object_at(event, "Actor");
    const auto* attributes = actor != nullptr ? object_at(*actor, "Attributes") : nullptr;
    if (attributes == nullptr || !matters(action)) return;
    const auto workspace = base::WorkspaceId::parse(text_at(*attributes, kWorkspaceIdLabel));
    if (!workspace) return;
    sink.on_event(*workspace, text_at(*actor, "ID"), kind_of(action));
}

}  // namespace agentdb9::runtime::docker
