// Logins at image registries, as 'docker login' keeps them: an engine asks each of its clients for them anew.
// Any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace agentdb9::runtime::docker {

// "registry.example:5000" of "registry.example:5000/team/image:1"; "docker.io" of "team/image" and "image".
std::string registry_of(std::string_view image);

// $DOCKER_CONFIG/config.json, else $HOME/.docker/config.json; absent where neither is set.
std::optional<std::filesystem::path> default_logins_file();

struct RegistryLogin {
    std::string header;   // X-Registry-Auth (Engine API, "Authentication"); empty: none
    std::string trouble;  // why there is none, where that is not as it should be; no secret is in it
};

// `logins`: what config.json of the engine's own client holds.
RegistryLogin login_in(const json::object& logins, std::string_view registry);

// As the file is now: a login counts at once. A file that is not there holds none.
RegistryLogin read_login(const std::filesystem::path& file, std::string_view image);

}  // namespace agentdb9::runtime::docker
