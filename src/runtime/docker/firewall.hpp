// What workspaces may reach beside one another's absence: a table of netfilter rules of our own for the
// bridge that their network is on, where the engine runs on this host. Without it a container reaches every
// service that listens on all of the host's addresses, and a cloud's metadata service with its credentials.
// docs/decisions/0013-firewall.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::runtime::docker {

struct FirewallPolicy {
    // Addresses and networks ("10.0.0.0/8", IPv6 too) that workspaces may reach; absent: all but link-local
    // ones.
    std::optional<std::vector<std::string>> egress;
    std::vector<int> host_ports;  // TCP ports of this host that they may reach
};

// May its name stand in a rule, as an interface's?
bool is_interface_name(std::string_view name);

// The name servers of a resolv.conf(5) that are reached by network: not this host's loopback.
std::vector<std::string> name_servers_in(std::string_view resolv_conf);
// Those of this host, from where the engine takes them. Blocks.
std::vector<std::string> name_servers();

// The table of the bridge `bridge`.
std::string firewall_table(std::string_view bridge);
// Makes or replaces that table, in nft(8)'s words; takes effect as a whole or not at all. `name_servers` may
// be asked whatever the policy says, so that names are resolved.
std::string firewall_rules(std::string_view bridge, const FirewallPolicy& policy,
                           const std::vector<std::string>& name_servers);
// The bridges whose tables `tables` names, which is what "list tables inet" answers.
std::vector<std::string> bridges_with_tables(std::string_view tables);

// Is there a network interface of this name here? Blocks.
bool has_interface(const std::string& name);

}  // namespace agentdb9::runtime::docker
