// What the fake engine keeps and how it answers when nobody breaks it: as Docker 20.10 does.
#include <boost/asio/ip/network_v4.hpp>

#include "support/fake_engine.hpp"

namespace agentdb9::test {
namespace {

std::string decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string parameter(const std::string& target, const std::string& name) {
    const auto query = target.find('?');
    if (query == std::string::npos) return {};
    for (std::size_t at = query; at != std::string::npos; at = target.find('&', at + 1)) {
        if (target.compare(at + 1, name.size() + 1, name + "=") != 0) continue;
        const auto start = at + name.size() + 2;
        return decode(std::string_view(target).substr(start, target.find('&', start) - start));
    }
    return {};
}

// "rest/of/it" → {"rest", "of/it"}, decoded, the query left out.
std::pair<std::string, std::string> split(const std::string& rest) {
    const auto path = rest.substr(0, rest.find('?'));
    const auto slash = path.find('/');
    if (slash == std::string::npos) return {decode(path), {}};
    return {decode(path.substr(0, slash)), path.substr(slash + 1)};
}

bool carries(const json::object& labels, const std::string& wanted) {
    const auto equals = wanted.find('=');
    const auto* value = labels.if_contains(wanted.substr(0, equals));
    return value != nullptr && value->is_string() &&
           (equals == std::string::npos || value->get_string() == wanted.substr(equals + 1));
}

json::object labels_of(const json::value& body) {
    const auto* labels = body.is_object() ? body.get_object().if_contains("Labels") : nullptr;
    return labels != nullptr && labels->is_object() ? labels->get_object() : json::object();
}

std::string text(const json::value& object, std::initializer_list<const char*> keys) {
    const json::value* at = &object;
    for (const auto* key : keys) {
        at = at->is_object() ? at->get_object().if_contains(key) : nullptr;
        if (at == nullptr) return {};
    }
    return at->is_string() ? std::string(at->get_string()) : std::string();
}

}  // namespace

FakeReply FakeEngine::model(const FakeRequest& request) {
    if (request.target == "/version" || request.path == "/version") {
        return reply(200, json::object{{"Version", "20.10.24"},
                                       {"ApiVersion", api_version},
                                       {"MinAPIVersion", min_api_version}});
    }
    const auto rest_of = [&](std::string_view prefix) { return request.path.substr(prefix.size()); };
    if (request.path.starts_with("/containers/")) return model_containers(request, rest_of("/containers/"));
    if (request.path.starts_with("/networks/")) return model_networks(request, rest_of("/networks/"));
    if (request.path.starts_with("/volumes")) return model_volumes(request, rest_of("/volumes"));
    if (request.path.starts_with("/images/")) return reply(200);
    return refusal(404, "page not found");
}

std::string FakeEngine::container_id(const std::string& name_or_id) const {
    if (containers.contains(name_or_id)) return name_or_id;
    for (const auto& [id, container] : containers) {
        if (container.name == name_or_id) return id;
    }
    return {};
}

json::array FakeEngine::list_containers(const FakeRequest& request) const {
    const auto filters = json::parse(parameter(request.target, "filters")).as_object();
    json::array found;
    for (const auto& [id, container] : containers) {
        bool matches = true;
        if (const auto* labels = filters.if_contains("label")) {
            for (const auto& label : labels->as_array())
                matches = matches && carries(container.labels, std::string(label.as_string()));
        }
        if (const auto* names = filters.if_contains("network"))
            matches = matches && container.network == names->at(0).as_string();
        if (!matches) continue;
        json::object endpoint{{"IPAddress", container.actual_address}};
        endpoint["IPAMConfig"] = container.address.empty()
                                     ? json::value()
                                     : json::value(json::object{{"IPv4Address", container.address}});
        json::object attached;
        attached[container.network] = std::move(endpoint);
        found.push_back(json::object{{"Id", id},
                                     {"Names", json::array{json::string("/" + container.name)}},
                                     {"State", container.state},
                                     {"Labels", container.labels},
                                     {"NetworkSettings", json::object{{"Networks", std::move(attached)}}}});
    }
    return found;
}

FakeReply FakeEngine::start_container(Container& container) {
    if (container.state == "running") return reply(304);
    const auto network = networks.find(container.network);
    if (network == networks.end()) return refusal(404, "network " + container.network + " not found");
    const auto subnet = text(network->second, {"Subnet"});
    if (!container.address.empty()) {
        if (subnet.empty()) {
            return refusal(400,
                           "user specified IP address is supported only when connecting to networks with "
                           "user configured subnets");
        }
        const auto range = asio::ip::make_network_v4(subnet).hosts();
        if (range.find(asio::ip::make_address_v4(container.address)) == range.end()) {
            return refusal(500, "Invalid address " + container.address +
                                    ": It does not belong to any of this network's subnets");
        }
        for (const auto& [id, other] : containers) {
            if (other.actual_address == container.address) return refusal(403, "Address already in use");
        }
    }
    container.actual_address = container.address.empty() ? "172.18.0.2" : container.address;
    container.state = "running";
    return reply(204);
}

FakeReply FakeEngine::model_containers(const FakeRequest& request, const std::string& rest) {
    const auto [name, call] = split(rest);
    if (name == "json") return reply(200, list_containers(request));
    if (name == "create") {
        const auto wanted = parameter(request.target, "name");
        if (const auto holder = container_id(wanted); !holder.empty()) {
            return refusal(409, "Conflict. The container name \"/" + wanted +
                                    "\" is already in use by container \"" + holder +
                                    "\". You have to remove (or rename) that container to be able to reuse "
                                    "that name.");
        }
        const auto id = "container" + std::to_string(++next_id_);
        auto& made = containers[id];
        made.name = wanted;
        made.body = request.body.as_object();
        made.labels = labels_of(request.body);
        made.network = text(request.body, {"HostConfig", "NetworkMode"});
        made.address = text(request.body, {"NetworkingConfig", "EndpointsConfig", made.network.c_str(),
                                           "IPAMConfig", "IPv4Address"});
        return reply(201, json::object{{"Id", id}, {"Warnings", json::array()}});
    }
    const auto id = container_id(name);
    if (id.empty()) return refusal(404, "No such container: " + name);
    auto& container = containers[id];
    if (request.method == "DELETE") {
        containers.erase(id);
        return reply(204);
    }
    if (call == "start") return start_container(container);
    if (call == "stop") {
        if (container.state != "running") return reply(304);
        container.state = "exited";
        container.actual_address.clear();
        return reply(204);
    }
    if (call == "rename") {
        container.name = parameter(request.target, "name");
        return reply(204);
    }
    if (call == "json")
        return reply(200, json::object{{"Id", id}, {"Config", json::object{{"Labels", container.labels}}}});
    return refusal(404, "page not found");
}

FakeReply FakeEngine::model_networks(const FakeRequest& request, const std::string& rest) {
    const auto [name, call] = split(rest);
    if (name == "create") {
        const auto wanted = text(request.body, {"Name"});
        if (networks.contains(wanted)) return refusal(409, "network with name " + wanted + " already exists");
        auto& made = networks[wanted];
        made["Driver"] = text(request.body, {"Driver"});
        made["Labels"] = labels_of(request.body);
        made["Options"] = request.body.at("Options");
        const auto config = request.body.at("IPAM").at("Config");
        made["Subnet"] = config.at(0).at("Subnet");
        made["IPAM"] = json::object{{"Config", config}};
        return reply(201, json::object{{"Id", "network1"}});
    }
    const auto found = networks.find(name);
    if (found == networks.end()) return refusal(404, "network " + name + " not found");
    if (request.method == "GET") return reply(200, found->second);
    const auto id = container_id(text(request.body, {"Container"}));
    if (id.empty()) return refusal(404, "No such container");
    auto& container = containers[id];
    if (call == "disconnect") {
        container.network.clear();
        container.address.clear();
        return reply(200);
    }
    container.network = name;
    container.address = text(request.body, {"EndpointConfig", "IPAMConfig", "IPv4Address"});
    return reply(200);
}

FakeReply FakeEngine::model_volumes(const FakeRequest& request, const std::string& rest) {
    if (rest == "/create") {
        auto& volume = volumes[text(request.body, {"Name"})];
        if (volume.empty()) {
            volume = request.body.as_object();
            volume["Mountpoint"] = "/var/lib/docker/volumes/" + text(request.body, {"Name"}) + "/_data";
        }
        return reply(201, volume);
    }
    const auto name = rest.empty() ? std::string() : split(rest.substr(1)).first;
    const auto found = volumes.find(name);
    if (found == volumes.end()) return refusal(404, "get " + name + ": no such volume");
    if (request.method == "DELETE") {
        volumes.erase(found);
        return reply(204);
    }
    return reply(200, found->second);
}

}  // namespace agentdb9::test
