#include "runtime/docker/engine_calls.hpp"

#include <algorithm>

namespace agentdb9::runtime::docker {
namespace {

// The words of the API's paths (v1.41); anything else is a name.
constexpr std::array<std::string_view, 38> kWords{
    "_ping",  "archive",    "attach",  "auth",   "build",    "connect", "containers", "create",
    "df",     "disconnect", "events",  "exec",   "get",      "images",  "info",       "inspect",
    "json",   "kill",       "load",    "logs",   "networks", "pause",   "prune",      "push",
    "rename", "resize",     "restart", "search", "start",    "stats",   "stop",       "system",
    "tag",    "top",        "unpause", "update", "version",  "volumes"};

bool is_word(std::string_view segment) {
    return std::ranges::find(kWords, segment) != kWords.end();
}

}  // namespace

std::string engine_call_name(std::string_view method, std::string_view target) {
    std::string name(method);
    name += ' ';
    auto path = target.substr(0, target.find('?'));
    bool in_name = false;
    // A name stands behind the resource, and may have slashes (an image's) and be a word itself (a volume's):
    // the first segment is the resource, the second, where there is more to tell it from, is a name.
    for (std::size_t index = 0; path.starts_with('/'); ++index) {
        path.remove_prefix(1);
        const auto segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        const bool last = path.empty();
        if (is_word(segment) && (index != 1 || last)) {
            name.append("/").append(segment);
            in_name = false;
        } else if (!in_name) {
            name += "/{id}";
            in_name = true;
        }
    }
    return name;
}

}  // namespace agentdb9::runtime::docker
