#include "proxy/door.hpp"

#include "base/ids.hpp"

namespace agentdb9::proxy {
namespace {

// Takes "/segment" off the front; the segment may be empty.
std::optional<std::string_view> take_segment(std::string_view& path) {
    if (!path.starts_with('/')) return std::nullopt;
    auto end = path.find('/', 1);
    auto segment = path.substr(1, end == path.npos ? path.npos : end - 1);
    path = end == path.npos ? std::string_view() : path.substr(end);
    return segment;
}

std::string_view before(std::string_view whole, std::string_view rest) {
    return whole.substr(0, whole.size() - rest.size());
}

std::optional<Door> application_door(std::string_view path) {
    Door door;
    door.rest = path;
    auto workspace = take_segment(door.rest);
    auto port = take_segment(door.rest);
    if (!workspace || !port || !base::parse_uuid(*workspace)) return std::nullopt;
    door.workspace = *workspace;
    door.port = *port;
    door.prefix = before(path, door.rest);
    return door;
}

std::optional<Door> api_door(std::string_view path) {
    constexpr std::string_view kWorkspaces = "/api/workspaces";
    constexpr std::string_view kWorkspaceProxy = "/workspace-proxy";
    Door door;
    if (path.starts_with(kWorkspaces)) {
        door.rest = path.substr(kWorkspaces.size());
        auto workspace = take_segment(door.rest);
        auto kind = take_segment(door.rest);
        if (!workspace || !kind) return std::nullopt;
        if (*kind == "ports") {
            door.port = take_segment(door.rest);
            if (!door.port) return std::nullopt;
        } else if (*kind != "proxy") {
            return std::nullopt;
        }
        door.workspace = *workspace;
    } else if (path.starts_with(kWorkspaceProxy)) {
        door.rest = path.substr(kWorkspaceProxy.size());
        auto workspace = take_segment(door.rest);
        if (!workspace || workspace->empty()) return std::nullopt;
        door.workspace = *workspace;
    } else {
        return std::nullopt;
    }
    door.prefix = before(path, door.rest);
    return door;
}

}  // namespace

std::optional<Door> find_door(Origin origin, std::string_view path, const std::vector<Rewrite>& rewrites) {
    if (origin == Origin::kOperator) return std::nullopt;
    if (origin == Origin::kApplications) return application_door(path);
    if (auto door = api_door(path)) return door;
    std::optional<Door> best;
    for (const auto& rewrite : rewrites) {
        if (!path.starts_with(rewrite.prefix)) continue;
        auto rest = path.substr(rewrite.prefix.size());
        if (!rest.empty() && rest.front() != '/') continue;
        if (best && best->prefix.size() >= rewrite.prefix.size()) continue;
        best = Door{path.substr(0, rewrite.prefix.size()), rest, {}, std::nullopt, &rewrite};
    }
    return best;
}

}  // namespace agentdb9::proxy
