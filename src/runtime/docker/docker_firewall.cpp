// The workspaces' firewall: docs/decisions/0013-firewall.md.
#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/nftables.hpp"

namespace agentdb9::runtime::docker {

namespace {

// Of networks that are gone. Their bridges' names are the engine's to give again.
void remove_stale_tables() {
    const auto tables = run_nft("list tables inet");
    if (!tables) return;
    for (const auto& bridge : bridges_with_tables(*tables)) {
        if (!has_interface(bridge)) run_nft("delete table inet " + firewall_table(bridge));
    }
}

}  // namespace

bool DockerRuntime::has_firewall(const Network& network) const {
    return options_.firewall != FirewallUse::kOff && engine_.is_local() && is_interface_name(network.bridge);
}

Task<> DockerRuntime::raise_firewall(Network network) {
    if (options_.firewall == FirewallUse::kOff) co_return;
    std::optional<std::string> refused = "the network's bridge is not on this host";
    if (has_firewall(network)) {
        refused = co_await filter_.run([bridge = network.bridge, policy = options_.firewall_policy]() {
            if (!has_interface(bridge))
                return std::optional<std::string>("the network's bridge is not on this host");
            const auto put = run_nft(docker::firewall_rules(bridge, policy, name_servers()));
            if (!put) return std::optional<std::string>(put.error());
            remove_stale_tables();
            return std::optional<std::string>();
        });
    }
    if (refused && refused != firewall_refused_) {
        log::warning("workspaces are not kept from this host's services",
                     {{"reason", *refused}, {"remedy", "see 'agentdb9 doctor'"}});
    }
    firewall_refused_ = refused;
    if (refused && options_.firewall == FirewallUse::kRequired) {
        throw base::conflict(
            "firewall_missing",
            "The rules that keep workspaces from this host's services cannot be set (" + *refused +
                "). The operator has to give the server the right to (CAP_NET_ADMIN), or set "
                "docker.firewall to \"auto\".");
    }
}

Task<> DockerRuntime::keep_firewall() {
    if (options_.firewall == FirewallUse::kOff) co_return;
    if (auto network = co_await find_network()) co_await raise_firewall(std::move(*network));
}

Task<std::string> DockerRuntime::firewall_rules() {
    const auto network = co_await find_network();
    if (!network || !is_interface_name(network->bridge)) {
        throw base::Error(base::ErrorCode::kNotFound, "network_missing",
                          "The network '" + options_.network +
                              "' is not there, or is none that has a bridge; the first start makes it.");
    }
    co_return docker::firewall_rules(network->bridge, options_.firewall_policy, name_servers());
}

Task<> DockerRuntime::look_at_firewall(const Network& network, EngineFacts::Network& facts) {
    using Firewall = EngineFacts::Firewall;
    if (options_.firewall == FirewallUse::kOff) co_return;
    if (!has_firewall(network) || !has_interface(network.bridge)) {
        facts.firewall = Firewall::kElsewhere;
        co_return;
    }
    const auto tables = co_await filter_.run([] { return run_nft("list tables inet"); });
    if (!tables) {
        facts.firewall = Firewall::kUnknown;
        facts.firewall_unknown = tables.error();
        co_return;
    }
    const auto there = bridges_with_tables(*tables);
    facts.firewall =
        std::ranges::find(there, network.bridge) != there.end() ? Firewall::kUp : Firewall::kMissing;
}

}  // namespace agentdb9::runtime::docker
