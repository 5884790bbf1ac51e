// The settings of the container engine: docker.*. Inside of config/ only.
#pragma once

#include <vector>

#include "config/settings.hpp"

namespace agentdb9::config {

void add_docker_settings(std::vector<Setting>& all);

}  // namespace agentdb9::config
