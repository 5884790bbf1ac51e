#include "runtime/docker/firewall.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace agentdb9::runtime::docker {

namespace {

constexpr std::string_view kTablePrefix = "agentdb9.";
constexpr std::size_t kLongestInterfaceName = 15;  // IFNAMSIZ less its end

bool is_v6(std::string_view address) {
    return address.find(':') != std::string_view::npos;
}

// One for each: in a set they may not overlap.
std::string rules_for(const std::vector<std::string>& addresses, std::string_view rest) {
    std::string rules;
    for (const auto& address : addresses) {
        rules += std::string("    ") + (is_v6(address) ? "ip6" : "ip") + " daddr " + address + " ";
        rules.append(rest).append("\n");
    }
    return rules;
}

std::string ports_of(const std::vector<int>& ports) {
    std::string set;
    for (const int port : ports)
        set += (set.empty() ? "" : ", ") + std::to_string(port);
    return set;
}

std::string read_file(const char* path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

}  // namespace

bool is_interface_name(std::string_view name) {
    constexpr std::string_view kSigns = "-_.";
    return !name.empty() && name.size() <= kLongestInterfaceName && std::ranges::all_of(name, [=](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kSigns.contains(c);
    });
}

std::vector<std::string> name_servers_in(std::string_view resolv_conf) {
    std::vector<std::string> found;
    std::istringstream lines{std::string(resolv_conf)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string word;
        std::string address;
        if (!(words >> word >> address) || word != "nameserver") continue;
        // With a zone it is this host's link's. What is no address has no place in a rule.
        const bool is_address = address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos &&
                                (is_v6(address) || std::ranges::count(address, '.') == 3);
        if (!is_address || address.starts_with("127.") || address == "::1") continue;
        if (std::ranges::find(found, address) == found.end()) found.push_back(address);
    }
    return found;
}

// The engine takes the second where the first names only a resolver on this host.
std::vector<std::string> name_servers() {
    auto found = name_servers_in(read_file("/etc/resolv.conf"));
    if (found.empty()) found = name_servers_in(read_file("/run/systemd/resolve/resolv.conf"));
    return found;
}

std::string firewall_table(std::string_view bridge) {
    return std::string(kTablePrefix).append(bridge);
}

// Both chains let everything pass that is not from the bridge, and every answer. A table that is there is
// replaced: "add" is for the "delete".
std::string firewall_rules(std::string_view bridge, const FirewallPolicy& policy,
                           const std::vector<std::string>& name_servers) {
    const auto table = "inet " + firewall_table(bridge);
    const auto from_elsewhere = "    iifname != \"" + std::string(bridge) + "\" accept\n";
    const std::string answers = "    ct state established,related accept\n";
    const auto names = rules_for(name_servers, "meta l4proto { tcp, udp } th dport 53 accept");
    const std::string refused = "    meta l4proto tcp reject with tcp reset\n    reject\n";

    std::string rules = "add table " + table + "\ndelete table " + table + "\ntable " + table + " {\n";
    // To this host.
    rules += "  chain input {\n    type filter hook input priority -10; policy accept;\n";
    rules += from_elsewhere + answers;
    rules += "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept\n";
    rules += names;
    if (!policy.host_ports.empty()) rules += "    tcp dport { " + ports_of(policy.host_ports) + " } accept\n";
    rules += refused + "  }\n";
    // Through this host: to other workspaces, and to the rest of the world.
    rules += "  chain forward {\n    type filter hook forward priority -10; policy accept;\n";
    rules += from_elsewhere + answers;
    rules += "    oifname \"" + std::string(bridge) + "\" drop\n";
    rules += names;
    if (policy.egress) {
        rules += rules_for(*policy.egress, "accept") + refused;
    } else {
        rules += rules_for({"169.254.0.0/16", "fe80::/10"}, "reject");
    }
    return rules + "  }\n}\n";
}

std::vector<std::string> bridges_with_tables(std::string_view tables) {
    std::vector<std::string> bridges;
    std::istringstream lines{std::string(tables)};
    const auto prefix = "table inet " + std::string(kTablePrefix);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(prefix) && is_interface_name(std::string_view(line).substr(prefix.size())))
            bridges.push_back(line.substr(prefix.size()));
    }
    return bridges;
}

bool has_interface(const std::string& name) {
    return is_interface_name(name) && ::access(("/sys/class/net/" + name).c_str(), F_OK) == 0;
}

}  // namespace agentdb9::runtime::docker
