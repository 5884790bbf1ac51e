#include "config/docker_settings.hpp"

#include <sstream>

#include "config/setting_kinds.hpp"
#include "model/application_host.hpp"

namespace agentdb9::config {
namespace {

void add_firewall_settings(std::vector<Setting>& all) {
    all.push_back(choice<Firewall>(
        "docker.firewall",
        {{"auto", Firewall::kAuto}, {"required", Firewall::kRequired}, {"off", Firewall::kOff}},
        [](Configuration& c) -> Firewall& { return c.docker.firewall; }));
    all.push_back(make(
        "docker.egress", Kind::kTextList,
        [](Configuration& c, const std::string& text) -> std::string {
            if (text == "all") {
                c.docker.egress.reset();
                return {};
            }
            std::vector<std::string> list;
            std::stringstream items(text);
            for (std::string item; std::getline(items, item, ',');) {
                if (!is_network(item))
                    return "must be \"all\", or addresses or networks like 10.0.0.0/8, and '" + item +
                           "' is neither";
                list.push_back(item);
            }
            c.docker.egress = std::move(list);
            return {};
        },
        [](const Configuration& c) {
            return c.docker.egress ? show_list(*c.docker.egress) : std::string("(all)");
        }));
    all.push_back(make(
        "docker.hostPorts", Kind::kTextList,
        [](Configuration& c, const std::string& text) -> std::string {
            std::vector<int> ports;
            std::stringstream items(text);
            for (std::string item; std::getline(items, item, ',');) {
                const auto port = model::parse_port(item);
                if (!port) return "must be ports from 1 to 65535, and '" + item + "' is none";
                ports.push_back(*port);
            }
            c.docker.host_ports = std::move(ports);
            return {};
        },
        [](const Configuration& c) {
            std::vector<std::string> list;
            for (const int port : c.docker.host_ports)
                list.push_back(std::to_string(port));
            return show_list(list);
        }));
}

}  // namespace

void add_docker_settings(std::vector<Setting>& all) {
    all.push_back(
        optional_text("docker.host", &Configuration::docker, &DockerSettings::host, check_engine_address));
    all.push_back(make(
        "docker.network", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            if (text.empty() || text == "host" || text == "none" || text == "bridge")
                return "must name a network of its own";
            c.docker.network = text;
            return {};
        },
        [](const Configuration& c) { return c.docker.network; }));
    all.push_back(choice<Reach>(
        "docker.reach",
        {{"auto", Reach::kAuto}, {"address", Reach::kAddress}, {"published", Reach::kPublished}},
        [](Configuration& c) -> Reach& { return c.docker.reach; }));
    all.push_back(make(
        "docker.volumeDriver", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            c.docker.volume_driver = text;
            return text.empty() ? "must not be empty" : "";
        },
        [](const Configuration& c) { return c.docker.volume_driver; }));
    all.push_back(number(
        "docker.maxParallelStarts", 1, 64,
        [](Configuration& c, std::int64_t v) { c.docker.max_parallel_starts = static_cast<int>(v); },
        [](const Configuration& c) { return c.docker.max_parallel_starts; }));
    all.push_back(optional_text("docker.registryLogins", &Configuration::docker,
                                &DockerSettings::registry_logins, check_path));
    add_firewall_settings(all);
}

}  // namespace agentdb9::config
