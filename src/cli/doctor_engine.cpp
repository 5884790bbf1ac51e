#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "cli/doctor_checks.hpp"

namespace agentdb9::cli {
namespace {

using runtime::docker::EngineFacts;

constexpr std::chrono::seconds kEnginePatience{10};
constexpr std::chrono::seconds kRegistryPatience{8};
constexpr std::string_view kListening = "0A";  // of /proc/net/tcp: TCP_LISTEN

void check_storage(const EngineFacts& facts, Findings& findings) {
    const std::string check = "engine";
    if (facts.storage_driver == "vfs") {
        findings.warning(
            check, "The engine keeps images with the driver 'vfs', which copies them whole.",
            "Give it a file system that overlay2 works on: starts are slow and large until then.");
    } else if (facts.storage_driver == "devicemapper" || facts.storage_driver == "aufs") {
        findings.warning(check, "The engine's storage driver '" + facts.storage_driver + "' is abandoned.",
                         "Move it to overlay2.");
    }
}

void check_limits(const EngineFacts& facts, Findings& findings) {
    std::string missing;
    for (const auto& [there, name] :
         {std::pair(facts.limits_memory, "memory"), std::pair(facts.limits_cpus, "CPU"),
          std::pair(facts.limits_pids, "process")}) {
        if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
    }
    if (missing.empty()) return;
    findings.warning("engine", "The engine cannot enforce these limits of workspaces: " + missing + ".",
                     "Enable these cgroup controllers on the host; one workspace can starve the others.");
}

// Ports on which something on this host listens for every address: workspaces reach those, whatever isolates
// them from one another.
std::string ports_open_to_workspaces() {
    std::set<int> ports;
    for (const char* name : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(name);
        std::string line;
        std::getline(file, line);
        while (std::getline(file, line)) {
            std::istringstream fields(line);
            std::string slot;
            std::string local;
            std::string remote;
            std::string state;
            fields >> slot >> local >> remote >> state;
            const auto colon = local.find(':');
            if (state != kListening || colon == std::string::npos || local.find_first_not_of('0') < colon)
                continue;
            ports.insert(static_cast<int>(std::stoul(local.substr(colon + 1), nullptr, 16)));
        }
    }
    std::string text;
    for (const int port : ports)
        text += (text.empty() ? "" : ", ") + std::to_string(port);
    return text;
}

// Without the rules workspaces reach what listens on all of this host's addresses.
void check_firewall(const EngineFacts::Network& network, Findings& findings) {
    using Firewall = EngineFacts::Firewall;
    const std::string check = "firewall";
    const auto ports = ports_open_to_workspaces();
    const auto exposed =
        ports.empty() ? std::string("what listens on all of its addresses") : "ports " + ports;
    switch (network.firewall) {
        case Firewall::kUp:
            findings.ok(check, "Workspaces are kept from this host's services.");
            return;
        case Firewall::kElsewhere:
            findings.ok(check,
                        "The workspaces' network is not on this host, where rules of ours could guard it.");
            return;
        case Firewall::kOff:
            findings.ok(check,
                        "docker.firewall is \"off\": workspaces may reach this host: " + exposed + ".");
            return;
        case Firewall::kUnknown:
            findings.ok(check, "Only root sees whether workspaces are kept from this host (" +
                                   network.firewall_unknown + "); else they reach " + exposed + ".");
            return;
        case Firewall::kMissing:
            findings.warning(
                check, "Workspaces reach this host: " + exposed + ".",
                "Start the server with CAP_NET_ADMIN, or put the rules in force by hand: agentdb9 "
                "firewall | sudo nft -f -");
            return;
    }
}

void check_network(const config::Configuration& configuration, const EngineFacts& facts, Findings& findings) {
    const auto& name = configuration.docker.network;
    if (!facts.network) {
        findings.ok("network", "'" + name + "' is not there yet; the first workspace that starts makes it.");
        return;
    }
    if (!facts.network->isolates) {
        findings.problem("network", "On '" + name + "' workspaces of different users can reach one another.",
                         "Stop the workspaces and remove it ('docker network rm " + name +
                             "'): the next start makes one that isolates.");
        return;
    }
    findings.ok("network", "'" + name + "' (" + facts.network->subnet + ") keeps workspaces apart.");
    check_firewall(*facts.network, findings);
}

Task<> ask_registry(runtime::docker::DockerRuntime& runtime, std::string image,
                    std::shared_ptr<std::set<std::string>> offered) {
    if (co_await runtime.can_pull(image)) offered->insert(image);
}

// All at once: where no registry is reached, each takes its whole time.
Task<std::set<std::string>> offered_by_registries(runtime::docker::DockerRuntime& runtime, base::Clock& clock,
                                                  std::set<std::string> images) {
    auto offered = std::make_shared<std::set<std::string>>();
    base::Scope scope(co_await asio::this_coro::executor);
    for (const auto& image : images)
        scope.spawn("ask a registry", ask_registry(runtime, image, offered));
    const auto deadline = clock.steady_now() + kRegistryPatience;
    while (scope.size() > 0 && clock.steady_now() < deadline)
        co_await clock.sleep_for(std::chrono::milliseconds(20));
    co_await scope.close();
    co_return *offered;
}

}  // namespace

Task<bool> check_engine(const config::Configuration& configuration, runtime::docker::DockerRuntime& runtime,
                        base::Clock& clock, Findings& findings) {
    std::optional<EngineFacts> facts;
    std::string reason = "it took too long";
    try {
        facts = co_await base::with_timeout(clock, kEnginePatience, runtime.facts());
    } catch (const base::Error& error) {
        reason = error.internal().empty() ? error.message() : error.internal();
    }
    if (!facts) {
        findings.problem(
            "engine", "The container engine at " + runtime.address() + " does not answer: " + reason + ".",
            "Start it ('systemctl start docker'), let this user use its socket (group 'docker'), or "
            "set docker.host.");
        co_return false;
    }
    findings.ok("engine", "Docker Engine " + facts->version + " (API " + facts->api_version + ", " +
                              facts->storage_driver + ") answers at " + runtime.address() + ".");
    check_storage(*facts, findings);
    check_limits(*facts, findings);
    check_network(configuration, *facts, findings);
    if (facts->local && !facts->root_directory.empty())
        check_disk("The engine's directory", facts->root_directory, findings);
    co_return true;
}

Task<> check_images(const config::Configuration& configuration, runtime::docker::DockerRuntime& runtime,
                    base::Clock& clock, Findings& findings) {
    std::set<std::string> there;
    std::set<std::string> elsewhere;
    for (const auto& type : configuration.workspace_types) {
        const auto& image = type.container_image;
        if (there.contains(image) || elsewhere.contains(image)) continue;
        (co_await runtime.has_image(image) ? there : elsewhere).insert(image);
    }
    const auto offered = co_await offered_by_registries(runtime, clock, elsewhere);
    std::string ready;
    std::size_t missing = 0;
    for (const auto& type : configuration.workspace_types) {
        if (there.contains(type.container_image)) ready += (ready.empty() ? "" : ", ") + type.type;
    }
    if (!ready.empty()) findings.ok("images", "On the engine, for: " + ready + ".");
    for (const auto& type : configuration.workspace_types) {
        const auto& image = type.container_image;
        if (there.contains(image)) continue;
        if (offered.contains(image)) {
            findings.ok("images", type.type + ": " + image + " is pulled at its first start.");
            continue;
        }
        ++missing;
        findings.warning("images",
                         type.type + ": " + image + " is not on the engine, and no registry offers it.",
                         "Load or build it, or set workspaceTypes." + type.type +
                             ".containerImage; the type is not offered until then.");
    }
    if (missing == configuration.workspace_types.size() && missing > 0)
        findings.problem("images", "No workspace type can be used.", "Make at least one image available.");
}

}  // namespace agentdb9::cli
