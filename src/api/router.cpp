#include "api/router.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/log.hpp"

namespace agentdb9::api {
namespace {

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return segments;
    while (true) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Endpoint, std::less<>> endpoints;  // by method
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(std::string method, std::string pattern, Access access, Handler handler) {
    insert(std::move(method), std::move(pattern), access, std::move(handler));
}

void Router::add_streaming(std::string method, std::string pattern, Access access, Handler handler) {
    insert(std::move(method), std::move(pattern), access, std::move(handler)).streams_body = true;
}

void Router::add_attended(std::string method, std::string pattern, Access access, Handler handler) {
    insert(std::move(method), std::move(pattern), access, std::move(handler)).attended = true;
}

bool Router::is_attended(std::string_view method, std::string_view path) const {
    const auto found = match(method, path);
    return found.kind == Match::Kind::kFound && found.endpoint->attended;
}

bool Router::streams_body(std::string_view method, std::string_view path) const {
    const auto found = match(method, path);
    return found.kind == Match::Kind::kFound && found.endpoint->streams_body;
}

Endpoint& Router::insert(std::string method, std::string pattern, Access access, Handler handler) {
    Endpoint endpoint{std::move(method), std::move(pattern), access, std::move(handler), {}, false};
    Node* node = root_.get();
    for (const auto segment : split(endpoint.pattern)) {
        std::unique_ptr<Node>* next = &node->parameter;
        if (segment.starts_with(':')) {
            endpoint.parameter_names.emplace_back(segment.substr(1));
        } else {
            next = &node->literals[std::string(segment)];
        }
        if (!*next) *next = std::make_unique<Node>();
        node = next->get();
    }
    const std::string key = endpoint.method;
    const auto [place, added] = node->endpoints.emplace(key, std::move(endpoint));
    if (!added) {
        log::error("an endpoint was added twice", {{"method", key}});
        std::abort();
    }
    return place->second;
}

const Router::Node* Router::find(const Node& node, const std::vector<std::string>& segments,
                                 std::size_t depth, std::vector<std::string>& values) {
    if (depth == segments.size()) return node.endpoints.empty() ? nullptr : &node;
    if (auto literal = node.literals.find(segments[depth]); literal != node.literals.end()) {
        if (const auto* found = find(*literal->second, segments, depth + 1, values)) return found;
    }
    if (!node.parameter || segments[depth].empty()) return nullptr;
    values.push_back(segments[depth]);
    if (const auto* found = find(*node.parameter, segments, depth + 1, values)) return found;
    values.pop_back();
    return nullptr;
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
    Match result;
    std::vector<std::string> segments;
    for (const auto segment : split(path)) {
        auto decoded = percent_decode(segment);
        if (!decoded) {
            result.kind = Match::Kind::kMalformed;
            return result;
        }
        segments.push_back(std::move(*decoded));
    }
    std::vector<std::string> values;
    const Node* node = find(*root_, segments, 0, values);
    if (!node) return result;

    const auto found = node->endpoints.find(method == "HEAD" ? std::string_view("GET") : method);
    if (found == node->endpoints.end()) {
        result.kind = method == "OPTIONS" ? Match::Kind::kOptions : Match::Kind::kWrongMethod;
        std::vector<std::string> allowed{"OPTIONS"};
        for (const auto& [name, endpoint] : node->endpoints) {
            allowed.push_back(name);
            if (name == "GET") allowed.emplace_back("HEAD");
        }
        std::ranges::sort(allowed);
        for (const auto& name : allowed)
            result.allow += (result.allow.empty() ? "" : ", ") + name;
        return result;
    }
    result.kind = Match::Kind::kFound;
    result.endpoint = &found->second;
    for (std::size_t i = 0; i < values.size(); ++i)
        result.parameters.emplace_back(result.endpoint->parameter_names[i], std::move(values[i]));
    return result;
}

std::vector<const Endpoint*> Router::endpoints() const {
    std::vector<const Endpoint*> all;
    std::vector<const Node*> open{root_.get()};
    while (!open.empty()) {
        const Node* node = open.back();
        open.pop_back();
        for (const auto& [method, endpoint] : node->endpoints)
            all.push_back(&endpoint);
        for (const auto& [name, child] : node->literals)
            open.push_back(child.get());
        if (node->parameter) open.push_back(node->parameter.get());
    }
    std::ranges::sort(all, {}, [](const Endpoint* e) { return std::pair(e->pattern, e->method); });
    return all;
}

}  // namespace agentdb9::api
